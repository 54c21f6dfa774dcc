"""`kill -9` of a real server in the middle of a call, and what the next start makes of it."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.chaos.callers import console_of, on_the_line, until
from tests.chaos.conftest import Serve
from tests.e2e.served import Server

from offhook.audio import g711
from offhook.audio.frame import PHONE
from offhook.audio.gaps import speech_spans

STEP_MS, STEPS = 50, 60
LOWEST, RISE = 400.0, 40.0
"""The caller's tone climbs by 40 Hz each 50 ms: a moment of it says when it was spoken."""
PROMISED_MS = 250


def staircase() -> bytes:
    """Three seconds of µ-law at 8 kHz whose pitch tells the time."""
    hertz = LOWEST + RISE * np.repeat(np.arange(STEPS), PHONE.samples(STEP_MS))
    phase = 2 * np.pi * np.cumsum(hertz) / PHONE.rate
    return g711.encode_ulaw((8000 * np.sin(phase)).astype(np.int16)).tobytes()


def last_step(samples: np.ndarray[Any, np.dtype[np.int16]], rate: int) -> int:
    """The number of the last whole stair that can be heard."""
    size = rate * STEP_MS // 1000
    [span] = speech_spans(samples, rate)[-1:]
    end = rate * span.end_ms // 1000
    piece = samples[end - size : end].astype(np.float64) * np.hanning(size)
    spectrum = np.abs(np.fft.rfft(piece, 1 << 16))
    hertz = float(np.argmax(spectrum)) * rate / (1 << 16)
    return round((hertz - LOWEST) / RISE)


async def test_kill_9_in_mid_call(serve: Serve, tmp_path: Path) -> None:
    first = serve()
    async with console_of(first) as console, on_the_line(first.port) as line:
        [call] = await console.begun()
        line.say(PHONE.silence(PHONE.samples(1_600)))
        at = line.say(staircase())
        # The greeting, two seconds, was heard and is kept; the tone still climbs.
        await until(lambda: len(line.caller) >= PHONE.samples(3_000), 5, "three seconds were sent")
        kept = await console.events(call, "transcript_final")
        sent = len(line.caller)
        first.process.kill()
        await asyncio.wait_for(line.closed.wait(), 2)
    assert [row["leg"] for row in kept] == ["agent"]
    with sqlite3.connect(tmp_path / "data" / "offhook.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()

    second = serve()
    await _check_what_is_left(second, call, kept, sent, at)
    assert any("calls were cut off by a crash" in line and "calls=1" in line for line in second.lines)


async def _check_what_is_left(
    server: Server, call: str, kept: list[dict[str, Any]], sent: int, at: int
) -> None:
    async with console_of(server) as console:
        row = await console.sealed(call)
        assert (row["state"], row["end_reason"]) == ("recovered", "crashed")
        assert await console.events(call, "transcript_final") == kept
        text = (await console.http.get(f"/api/calls/{call}/transcript?format=text")).text
        assert kept[0]["text"] in text
        sound = (await console.http.get(f"/api/calls/{call}/recording?format=wav")).content
    with wave.open(io.BytesIO(sound)) as file:
        rate = file.getframerate()
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    lost_by_length = PHONE.ms(sent) - len(both) / rate * 1000
    heard_until = PHONE.ms(at) + (last_step(both[:, 0], rate) + 1) * STEP_MS
    lost_by_pitch = PHONE.ms(sent) - heard_until
    print(f"lost at kill -9: {lost_by_length:.0f} ms by length, {lost_by_pitch:.0f} ms by pitch")
    assert -STEP_MS <= lost_by_length <= PROMISED_MS
    assert -STEP_MS <= lost_by_pitch <= PROMISED_MS
    hum = speech_spans(both[:, 1], rate)
    assert sum(span.end_ms - span.start_ms for span in hum) == pytest.approx(2_000, abs=300)
