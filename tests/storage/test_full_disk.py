"""A disk that is full in the middle of a call: the call goes on, and what was taped is not lost."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offhook.storage.base import RecordingState

_PROCESS = Path(__file__).with_name("full_disk.py")
_BOUND = 256 * 1024


async def test_a_full_disk(tmp_path: Path, studios: Callable[[Path], Any]) -> None:
    command = [sys.executable, str(_PROCESS), str(tmp_path)]
    ran = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=30, check=True
    )
    report = json.loads(ran.stdout.splitlines()[-1])
    assert report["size"] == _BOUND
    assert len(report["troubles"]) == 1
    assert report["troubles"][0].startswith("The recording stopped: ")
    assert not report["degraded"]
    assert "Traceback" not in ran.stdout + ran.stderr

    # 32 s of random sound do not fit the bound as Opus either: the reels wait for a disk with room.
    assert report["state"] == RecordingState.FAILED
    assert report["parts"]
    studio = studios(tmp_path)
    assert studio.tapes.leftovers() == {report["call"]: _BOUND // 8}
    studio.tapes.recover()
    await studio.tapes.close()
    await studio.store.flush()
    assert await studio.recording(report["call"]) is RecordingState.SEALED
    await studio.store.close()
