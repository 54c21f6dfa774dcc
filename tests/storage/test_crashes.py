"""`kill -9` in the middle of a call: what the disk keeps, and what the next start makes of it."""

from __future__ import annotations

import asyncio
import os
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.foundation.events import LegKind
from offhook.storage.base import CallState, RecordingState
from offhook.storage.manifest import read_manifest, reel_path
from offhook.storage.reel import veil

_WRITER = Path(__file__).with_name("crash_writer.py")
_PROMISED_MS = 250


def killed_after(directory: Path, frames: int) -> tuple[str, int, int]:
    """Kill the writer once it has handed over so many frames: call id, frames and rows that it told of."""
    process = subprocess.Popen([sys.executable, str(_WRITER), str(directory)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = b""
    with process:
        while f"frame {frames}\n".encode() not in output:
            read = os.read(process.stdout.fileno(), 65536)
            assert read, "the writer ended by itself"
            output += read
        process.kill()
        while read := os.read(process.stdout.fileno(), 65536):
            output += read
    text = output.decode()
    call = re.search(r"call (\S+)\n", text)
    assert call is not None
    told = {kind: max(map(int, re.findall(rf"{kind} (\d+)\n", text)), default=0) for kind in ("frame", "row")}
    return call[1], told["frame"], told["row"]


def taped_ms(path: Path, format: AudioFormat, frames: int) -> float:
    """How much of a reel is on the disk, each frame found whole and in its place."""
    data = veil(path.read_bytes(), format.encoding)
    size = format.size(20)
    for frame in range(min(frames, len(data) // size)):
        piece = data[frame * size : (frame + 1) * size]
        code = frame % 250 + 1
        expected = bytes([code]) if format.encoding is Encoding.ULAW else bytes([code, 1])
        assert piece == expected * (size // len(expected)), f"frame {frame} is not what was written"
    return format.ms(len(data))


async def test_kill_9(tmp_path: Path, studios: Callable[[Path], Any]) -> None:
    call, told, rows = await asyncio.to_thread(killed_after, tmp_path, random.randint(20, 45))
    directory = tmp_path / "recordings" / call
    for leg, format in read_manifest(directory).formats.items():
        assert format == {LegKind.CALLER: PHONE, LegKind.AGENT: WIDEBAND}[leg]
        lost = told * 20 - taped_ms(reel_path(directory, leg), format, told)
        assert lost <= _PROMISED_MS, f"{leg}: {lost} ms lost"
        print(f"lost at kill -9: {leg} {lost:.0f} ms of {told * 20}")
    with sqlite3.connect(tmp_path / "offhook.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = database.execute("SELECT count(*), max(seq) FROM events").fetchone()
    database.close()
    assert rows > 0
    assert kept[0] == kept[1] >= rows

    studio = studios(tmp_path)
    durations = studio.tapes.leftovers()
    assert studio.store.recover(datetime.now(UTC), durations) == [call]
    assert list(studio.tapes.recover()) == [call]
    assert await studio.recording(call) is RecordingState.SEALED
    record = await studio.store.call(call)
    assert record.state is CallState.RECOVERED
    assert told * 20 - _PROMISED_MS <= record.duration_ms
    assert studio.tapes.peaks(call)["samples"] == durations[call] * 16
    await studio.tapes.close()
    assert not directory.exists()
    await studio.store.close()
