"""Packages of evidence that somebody made to break who reads them: manifests, names, numbers."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.desk.evidence_stage import keep_call, package_of

from offhook.desk.evidence.verify import Fault, Report, verify
from offhook.storage.sql import SqlStore


async def _make(folder: Path) -> bytes:
    store = SqlStore(f"sqlite:///{folder}/offhook.db")
    try:
        made = await package_of(store, None, folder, await keep_call(store, None))
        return b"".join(made.chunks())
    finally:
        await store.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return asyncio.run(_make(tmp_path_factory.mktemp("evidence")))


@pytest.fixture
def check(tmp_path: Path) -> Callable[[bytes], Report]:
    def check(data: bytes) -> Report:
        (tmp_path / "package.zip").write_bytes(data)
        return verify(tmp_path / "package.zip")

    return check


def test_it_is_whole_before(whole: bytes, check: Callable[..., Report]) -> None:
    assert check(whole).whole


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("timeline", "entries"), float("inf")),
        (("timeline", "entries"), float("nan")),
        (("timeline", "entries"), 10**400),
        (("timeline", "entries"), -1),
        (("timeline", "entries"), "12"),
        (("call_id",), "\x1b]0;evil\x07\x1b[2J"),
        (("call_id",), "\ud800"),
        (("call_id",), {"a": 1}),
        (("members",), None),
        (("key",), []),
    ],
)
def test_a_manifest_that_makes_no_sense_is_no_manifest(
    whole: bytes, check: Callable[..., Report], place: tuple[str, ...], value: object
) -> None:
    """Whoever made it: nothing of it is believed, nor shown to a terminal."""
    members = read_all(whole)
    manifest = json.loads(members["MANIFEST.json"])
    part = manifest
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    raw = json.dumps(manifest, separators=(",", ":")).encode()
    at = whole.index(members["MANIFEST.json"])
    inplace = whole[:at] + raw + whole[at + len(members["MANIFEST.json"]) :]
    for data in (pack({**members, "MANIFEST.json": raw}), inplace):
        report = check(data)
        assert (Fault.ALTERED, "MANIFEST.json") in {(found.fault, found.member) for found in report.findings}
        assert report.call_id == ""


def test_names_mean_nothing_to_a_terminal(whole: bytes, check: Callable[..., Report]) -> None:
    members = read_all(whole)
    evil = "a\x1b[2J\u202eb"
    with_manifest, without = pack({**members, evil: b""}, twice=evil), pack({evil: b"", "MANIFEST.sig": b""})
    for data in (with_manifest, without):
        for found in check(data).findings:
            assert found.member.isprintable(), found
            assert found.text.isprintable(), found


def read_all(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(members: dict[str, bytes], twice: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        if twice:
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr(twice, b"again")
    return out.getvalue()
