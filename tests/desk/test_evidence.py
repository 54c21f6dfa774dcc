"""Packages of evidence: whole ones verify, altered bytes are named, hostile files are bounded."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.desk.evidence_stage import EVENTS, keep_call, package_of, sealed

from offhook.audio.wav import read_wav
from offhook.desk.evidence import container, package
from offhook.desk.evidence.chain import chained, first_break
from offhook.desk.evidence.key import node_key, read_public
from offhook.desk.evidence.package import Member, Package
from offhook.desk.evidence.reading import UnreadableError, is_safe, lines_of
from offhook.desk.evidence.verify import Fault, Report, expected_key, verify
from offhook.foundation.errors import LimitError, SettingsError, StorageError
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore

NAMES = [
    "README.txt", "call.json", "transcript.json", "transcript.txt", "timeline.jsonl", "entities.json",
    "cards.json", "audit.jsonl", "audio/recording.ogg", "audio/caller.wav", "audio/agent-and-operators.wav",
    "audio/mixed.wav", "node-key.pem", "SHA256SUMS", "MANIFEST.json", "MANIFEST.sig",
]  # fmt: skip


async def _make(folder: Path) -> bytes:
    store = SqlStore(f"sqlite:///{folder}/offhook.db")
    tapes = Tapes(folder / "recordings", store, lambda call_id, reason: None)
    try:
        call_id = await keep_call(store, tapes, 0.1)
        await sealed(store, call_id)
        made = await package_of(store, tapes, folder, call_id)
        data = b"".join(made.chunks())
        assert len(data) == made.size
        return data
    finally:
        await tapes.close()
        await store.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def whole(folder: Path) -> bytes:
    """A package of a call with sound."""
    return asyncio.run(_make(folder))


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Report]:
    def check(data: bytes, fingerprint: str = "") -> Report:
        path = tmp_path / "package.zip"
        path.write_bytes(data)
        return verify(path, fingerprint)

    return check


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return {info.filename: file.read(info) for info in file.infolist()}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def test_a_whole_package(whole: bytes, folder: Path, check: Callable[..., Report]) -> None:
    report = check(whole, node_key(folder).public.fingerprint)
    assert (report.findings, report.whole, report.trusted, report.members) == ([], True, True, len(NAMES))
    assert check(whole).trusted is None
    assert check(whole, "0" * 64).trusted is False


def test_what_is_in_it(whole: bytes) -> None:
    members = unzipped(whole)
    assert list(members) == NAMES
    entities = json.loads(members["entities.json"])["entities"]
    assert [(one["id"], one["pinned"], one["link"]) for one in entities] == [
        ("own_1", True, "audio/mixed.wav#t=0.700"),
        ("entity_1", True, "audio/mixed.wav#t=1.300"),
    ]
    (card,) = json.loads(members["cards.json"])["cards"]
    assert [status["status"] for status in card["statuses"]] == ["used"]
    assert [given["value"] for given in card["feedback"]] == ["helpful"]
    assert json.loads(members["audit.jsonl"])["action"] == "take_over"
    assert len(members["timeline.jsonl"].splitlines()) == len(EVENTS)
    text = members["transcript.txt"].decode()
    assert "[0:00:01.000] Caller: \u2068رقم البطاقة ٤١١١ ١١١١ ١١١١ ١١١١ please\u2069\n" in text
    assert "Operator (\u2068Dana\u2069)" in text
    assert "\u202e" not in members["README.txt"].decode()
    assert json.loads(members["call.json"])["audio"] == "included"


def test_each_side_of_the_sound(whole: bytes) -> None:
    members = unzipped(whole)
    loudest = {}
    for name in ("caller", "agent-and-operators", "mixed"):
        samples, rate = read_wav(members[f"audio/{name}.wav"])
        spectrum = np.abs(np.fft.rfft(samples[:1_600, 0] * np.hanning(1_600)))
        assert rate == 16_000
        loudest[name] = {pitch: spectrum[pitch // 10] for pitch in (440, 880)}
    assert loudest["caller"][440] > 30 * loudest["caller"][880]
    assert loudest["agent-and-operators"][880] > 30 * loudest["agent-and-operators"][440]
    assert 0.5 < loudest["mixed"][440] / loudest["mixed"][880] < 2


def test_one_byte_in_each_member_is_named(whole: bytes, check: Callable[..., Report]) -> None:
    for info in zipfile.ZipFile(io.BytesIO(whole)).infolist():
        start = info.header_offset + 30 + len(info.filename.encode())
        for at in {start, start + info.file_size // 2, start + info.file_size - 1}:
            data = bytearray(whole)
            data[at] ^= 0x01
            report = check(bytes(data))
            named = {finding.member for finding in report.findings if finding.fault is Fault.ALTERED}
            assert info.filename in named, (info.filename, at, report.findings)


def test_any_byte_of_the_container_is_named(whole: bytes, check: Callable[..., Report]) -> None:
    file = zipfile.ZipFile(io.BytesIO(whole))
    members = sorted(file.infolist(), key=lambda info: info.header_offset)
    for info in members[:3] + members[-2:]:
        header = range(info.header_offset, info.header_offset + 30 + len(info.filename))
        after = header.stop + info.file_size
        for at in [*header, *range(after, after + 16)]:
            data = bytearray(whole)
            data[at] ^= 0x04
            found = check(bytes(data)).findings
            assert info.filename in {finding.member for finding in found}, (
                info.filename,
                at - info.header_offset,
            )
    for at in range(file.start_dir, len(whole)):
        data = bytearray(whole)
        data[at] ^= 0x10
        found = check(bytes(data)).findings
        assert any(finding.fault in (Fault.CONTAINER, Fault.MISSING) for finding in found), at


def _names(report: Report, fault: Fault) -> list[str]:
    return [finding.member for finding in report.findings if finding.fault is fault]


def test_members_missing_added_moved_and_packed_anew(whole: bytes, check: Callable[..., Report]) -> None:
    members = unzipped(whole)
    again = check(zipped(members))
    assert {finding.fault for finding in again.findings} == {Fault.CONTAINER}
    without = {name: data for name, data in members.items() if name != "cards.json"}
    assert _names(check(zipped(without)), Fault.MISSING) == ["cards.json"]
    more = check(zipped({**members, "extra.txt": b"x", "../evil": b"x"}))
    assert _names(more, Fault.ADDED) == ["extra.txt", "'../evil'"]
    moved = {"call.json": members["call.json"], **members}
    assert _names(check(zipped(moved)), Fault.MOVED) == ["call.json"]
    changed = check(zipped({**members, "transcript.txt": b"nothing was said"}))
    assert _names(changed, Fault.ALTERED) == ["transcript.txt"]
    grown = check(whole + b"x")
    assert not grown.whole
    assert not check(b"x" + whole).whole


def test_packages_without_their_closing_members(whole: bytes, check: Callable[..., Report]) -> None:
    members = unzipped(whole)
    for name in ("MANIFEST.json", "MANIFEST.sig", "node-key.pem"):
        report = check(zipped({key: data for key, data in members.items() if key != name}))
        assert name in _names(report, Fault.MISSING), name
    broken = check(zipped({**members, "MANIFEST.json": b"{}"}))
    assert "MANIFEST.json" in _names(broken, Fault.ALTERED)
    longer = check(zipped({**members, "MANIFEST.json": members["MANIFEST.json"] + b" "}))
    assert "MANIFEST.json" in _names(longer, Fault.ALTERED)
    other = check(zipped({**members, "node-key.pem": b"no key"}))
    assert "node-key.pem" in _names(other, Fault.SIGNATURE)


def test_signed_again_by_somebody_else(
    whole: bytes, folder: Path, tmp_path: Path, check: Callable[..., Report]
) -> None:
    members = unzipped(whole)
    stranger = node_key(tmp_path)
    about = json.loads(members["MANIFEST.json"])
    about = {name: about[name] for name in ("call_id", "timeline")}
    kept = [Member.of(name, members[name]) for name in NAMES[:12]]
    forged = b"".join(Package(kept, about, stranger).chunks())
    report = check(forged, node_key(folder).public.fingerprint)
    assert (report.whole, report.trusted) == (True, False)
    swapped = {**members, "MANIFEST.sig": stranger.sign(members["MANIFEST.json"])}
    assert _names(check(zipped(swapped)), Fault.SIGNATURE) == [""]


LINES: list[tuple[str, Callable[[list[bytes]], list[bytes]]]] = [
    ("line 3 (entry 3) was altered", lambda lines: [*lines[:2], lines[2].replace(b"t3", b"tX"), *lines[3:]]),
    ("line 2 (entry 2) was altered, or lines", lambda lines: [*lines[:2], *lines[3:]]),
    ("line 1 (entry 1) was altered, or lines", lambda lines: [lines[0], lines[2], lines[1], *lines[3:]]),
    ("3 lines instead of 4", lambda lines: lines[:3]),
    ("line 4 (entry 4) was altered", lambda lines: [*lines[:3], lines[3].replace(b"t4", b"tX")]),
    ("line 1 was altered, or lines", lambda lines: lines[1:]),
    ("line 2 is no entry", lambda lines: [lines[0], b"[]\n", *lines[2:]]),
    ("line 2 is no entry", lambda lines: [lines[0], b"no\n", *lines[2:]]),
    ("line 4 is cut", lambda lines: [*lines[:3], lines[3][:-1]]),
    ("", lambda lines: lines),
]


@pytest.mark.parametrize(("expected", "alter"), LINES)
def test_the_chain_names_where_it_breaks(expected: str, alter: Callable[[list[bytes]], list[bytes]]) -> None:
    data, count, head = chained({"seq": n, "text": f"t{n}"} for n in range(1, 5))
    said = first_break(alter(data.splitlines(keepends=True)), count, head)
    assert said.startswith(expected)
    assert bool(said) is bool(expected)


def test_an_altered_timeline_says_where(whole: bytes, check: Callable[..., Report]) -> None:
    at = whole.index("رقم البطاقة".encode(), whole.index(b'{"previous":'))
    data = bytearray(whole)
    data[at] ^= 1
    report = check(bytes(data))
    assert _names(report, Fault.CHAIN) == ["timeline.jsonl"]
    (broken,) = (finding.text for finding in report.findings if finding.fault is Fault.CHAIN)
    assert broken.startswith(("line 3 (entry 3) was altered", "line 3 is no entry"))


def test_what_is_no_package(check: Callable[..., Report]) -> None:
    for data in (b"", b"PK", b"not a zip at all" * 100, container.END_MARK + bytes(10), zipped({"a": b"b"})):
        with pytest.raises(UnreadableError):
            check(data)
    many = container.end(60_000, 50_000_000, 0)
    with pytest.raises(UnreadableError, match="far more members"):
        check(bytes(100) + many)
    with pytest.raises(UnreadableError, match="cannot be read"):
        check(bytes(30) + container.end(1, 60_000, 50))


def test_bombs_are_not_unpacked(whole: bytes, check: Callable[..., Report]) -> None:
    members = unzipped(whole)
    bomb = check(zipped({**members, "call.json": bytes(200_000_000)}))
    assert _names(bomb, Fault.ALTERED) == ["call.json"]
    assert "larger than it may be" in next(one.text for one in bomb.findings if one.member == "call.json")
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("call.json", b"other")
    assert "call.json" in _names(check(twice.getvalue()), Fault.ADDED)


def test_names_that_leave_their_folder() -> None:
    safe = {
        name: is_safe(name)
        for name in ("a/b.txt", "/etc", "../a", "a//b", "a\\b", "c:x", "a\x00b", "", "x" * 201)
    }
    assert [name for name, good in safe.items() if good] == ["a/b.txt"]


def test_lines_of_any_pieces() -> None:
    assert [*lines_of(iter([b"ab", b"c\nde\n", b"f"]), 100)] == [b"abc\n", b"de\n", b"f"]
    assert [*lines_of(iter([b"abcd", b"e\n"]), 3)] == [b"abcd", b"e\n"]


def test_the_key_is_the_owners_alone(tmp_path: Path) -> None:
    first, second = node_key(tmp_path), node_key(tmp_path)
    assert first.public == second.public
    assert stat.S_IMODE((tmp_path / "node.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["node.key"]
    (tmp_path / "node.key").write_text("damaged")
    with pytest.raises(SettingsError, match="damaged"):
        node_key(tmp_path)
    with pytest.raises(SettingsError, match="cannot be used"):
        node_key(tmp_path / "nowhere")


def test_a_key_of_another_kind_signs_nothing(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as to
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    other = generate_private_key(SECP256R1())
    pem = other.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption())
    (tmp_path / "node.key").write_bytes(pem)
    with pytest.raises(SettingsError, match="no Ed25519"):
        node_key(tmp_path)
    public = other.public_key().public_bytes(to.Encoding.PEM, to.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="no Ed25519"):
        read_public(public)


def test_the_key_that_is_expected(tmp_path: Path) -> None:
    public = node_key(tmp_path).public
    (tmp_path / "key.pem").write_bytes(public.pem)
    pairs = ":".join(public.fingerprint[at : at + 2].upper() for at in range(0, 64, 2))
    for text in (str(tmp_path / "key.pem"), public.fingerprint, pairs):
        assert expected_key(text) == public.fingerprint


@pytest.mark.skipif(shutil.which("openssl") is None or shutil.which("sha256sum") is None, reason="no tools")
def test_checked_without_us_as_the_readme_says(whole: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        file.extractall(tmp_path)
        key = json.loads(file.read("MANIFEST.json"))["key"]["fingerprint"]

    def run(*command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert run("sha256sum", "--strict", "-c", "SHA256SUMS").returncode == 0
    signed = ("-rawin", "-in", "MANIFEST.json", "-sigfile", "MANIFEST.sig")
    assert run("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "node-key.pem", *signed).returncode == 0
    der = run("openssl", "pkey", "-pubin", "-in", "node-key.pem", "-outform", "DER").stdout
    assert hashlib.sha256(der[-32:]).hexdigest() == key


def test_a_member_that_changes_meanwhile_and_one_too_large(tmp_path: Path) -> None:
    key = node_key(tmp_path)
    with pytest.raises(StorageError, match="changed while"):
        b"".join(Package([Member("a", 5, lambda: iter([b"abc"]))], {}, key).chunks())
    with pytest.raises(LimitError):
        Package([Member("a", 0xFFFF_FFFF, lambda: iter([]))], {}, key)
    assert package.FORMAT in repr(package.FORMAT)


def test_two_processes_that_make_the_key_at_once_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = {key.public for key in pool.map(lambda _: node_key(tmp_path), range(16))}
    assert len(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["node.key"]


def test_a_file_larger_than_any_package_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.zip"
    with open(path, "wb") as file:
        file.truncate(container.LARGEST + 1)
    with pytest.raises(UnreadableError, match="larger"):
        verify(path)
