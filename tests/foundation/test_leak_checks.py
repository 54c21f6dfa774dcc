"""The leak checks of conftest catch what they are for: they run on tests that leak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_CONFTEST = Path(__file__).parent.parent / "conftest.py"
_TESTS = """
import asyncio, os, threading, time

async def test_task():
    global kept
    kept = asyncio.create_task(asyncio.sleep(60))

def test_thread():
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

def test_descriptor():
    os.dup(1)

async def test_clean():
    await asyncio.to_thread(time.sleep, 0.01)
"""


def test_each_kind_of_leak_fails_its_test(tmp_path: Path) -> None:
    conftest = _CONFTEST.read_text(encoding="utf-8").replace("_GRACE = 2.0", "_GRACE = 0.05")
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    (tmp_path / "test_leaking.py").write_text(_TESTS)
    ini = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    (tmp_path / "pytest.ini").write_text(ini)
    command = [sys.executable, "-m", "pytest", "-q", "-rE", "-p", "no:cacheprovider", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=tmp_path, check=False)
    errors = [line for line in ran.stdout.splitlines() if line.startswith("ERROR ")]
    assert [line.partition("::")[2].split()[0] for line in errors] == [
        "test_task",
        "test_thread",
        "test_descriptor",
    ], ran.stdout
    for what, line in zip(("tasks", "threads", "file descriptors"), errors, strict=True):
        assert f"AssertionError: {what} out" in line
    assert "4 passed, 3 errors" in ran.stdout
