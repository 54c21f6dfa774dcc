"""`offhook evidence`: what it writes, what it says, its exit codes. Run from the arguments on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.desk.evidence_stage import keep_call, sealed

from offhook.cli.main import main
from offhook.desk.evidence.key import node_key
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data directory with a finished call, and its id."""
    import asyncio

    folder = tmp_path_factory.mktemp("evidence-command")

    async def make() -> str:
        store = SqlStore(f"sqlite:///{folder}/offhook.db")
        tapes = Tapes(folder / "recordings", store, lambda call_id, reason: None)
        try:
            call_id = await keep_call(store, tapes, 0.1)
            await sealed(store, call_id)
            return call_id
        finally:
            await tapes.close()
            await store.close()

    return folder, asyncio.run(make())


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def offhook(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs the command in this process, from its arguments to its exit code."""

    def offhook(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["offhook", "evidence", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, *capsys.readouterr())

    return offhook


def test_export_and_verify(data: tuple[Path, str], tmp_path: Path, offhook: Callable[..., Done]) -> None:
    folder, call_id = data
    file = tmp_path / "package.zip"
    done = offhook("export", call_id, file, "--data", folder)
    assert done.returncode == 0, done.stderr
    again = offhook("export", call_id, file, "--data", folder)
    assert (again.returncode, "cannot be written" in again.stderr) == (1, True)
    fingerprint = node_key(folder).public.fingerprint

    blind = offhook("verify", file)
    assert (blind.returncode, "WARNING" in blind.stderr) == (0, True)
    trusted = offhook("verify", file, "--key", fingerprint)
    assert (trusted.returncode, trusted.stderr) == (0, "")
    assert "signed with the key that you expect" in trusted.stdout
    other = offhook("verify", file, "--key", "0" * 64)
    assert (other.returncode, "ANOTHER KEY" in other.stderr) == (3, True)

    altered = bytearray(file.read_bytes())
    altered[altered.index(b"How to check it")] ^= 1
    file.write_bytes(altered)
    found = offhook("verify", file, "--key", fingerprint)
    assert found.returncode == 1
    assert "ALTERED    README.txt: its content was altered" in found.stdout


def test_what_cannot_be_done(data: tuple[Path, str], tmp_path: Path, offhook: Callable[..., Done]) -> None:
    folder, _ = data
    unknown = offhook("export", "call_00000000000000000000000000", tmp_path / "x.zip", "--data", folder)
    assert (unknown.returncode, (tmp_path / "x.zip").exists()) == (1, False)
    assert offhook("export", "call_x", tmp_path / "x.zip", "--data", tmp_path / "none").returncode == 2
    (tmp_path / "text.zip").write_text("no zip")
    assert offhook("verify", tmp_path / "text.zip").returncode == 4
    assert offhook("verify", tmp_path / "nothing.zip").returncode == 4
    wrong = offhook("verify", tmp_path / "text.zip", "--key", "nonsense")
    assert (wrong.returncode, "Traceback" in wrong.stderr) == (2, False)
