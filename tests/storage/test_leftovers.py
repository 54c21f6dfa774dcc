"""What a crash or a hurried stop leaves on the disk, whole or damaged, and what the next start does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from offhook.audio.convert import to_bytes
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.audio.wav import read_wav
from offhook.foundation.clock import ManualClock
from offhook.foundation.events import LegKind
from offhook.foundation.ids import call_id
from offhook.storage.base import RecordingState
from offhook.storage.manifest import Manifest, reel_path
from offhook.storage.recordings import Tapes
from offhook.storage.reel import Reel

CALLER, AGENT = LegKind.CALLER, LegKind.AGENT
FORMATS = {CALLER: PHONE, AGENT: WIDEBAND}
Tone = Callable[..., np.ndarray[Any, np.dtype[np.int16]]]


def samples_of(tapes: Tapes, call: str) -> Any:
    return read_wav(b"".join(tapes.wav(call).chunks()))[0]


def left(root: Path, samples: Any, formats: dict[LegKind, AudioFormat] | None = None) -> str:
    """What a crash leaves of a call."""
    call = call_id()
    directory = root / call
    directory.mkdir(parents=True)
    Manifest(call, ManualClock().wall(), formats or FORMATS).write(directory)
    reel = Reel(reel_path(directory, CALLER), PHONE)
    reel.place(0, to_bytes(samples, Encoding.ULAW))
    reel.flush()
    reel.close()
    return call


async def test_leftovers_are_sealed_at_the_next_start(studio: Any, tone: Tone) -> None:
    root = studio.directory / "recordings"
    first, second = left(root, tone(440, 8000, 1.25)), left(root, tone(440, 8000, 0.5))
    (root / "notes").mkdir()
    assert studio.tapes.leftovers() == {first: 1250, second: 500}
    assert sorted(studio.tapes.recover()) == sorted([first, second])
    assert studio.tapes.recover() == []
    await studio.tapes.close()
    assert sorted(path.name for path in root.iterdir() if path.suffix != ".json") == sorted(
        [f"{first}.ogg", f"{second}.ogg", "notes"]
    )
    assert samples_of(studio.tapes, first).shape == (20_000, 2)


async def test_damaged_reels_give_what_they_have(studio: Any, tone: Tone) -> None:
    root = studio.directory / "recordings"
    pcm = left(root, tone(440, 8000, 1.0))
    reel_path(root / pcm, AGENT).write_bytes(tone(1000, 16000, 1.0).tobytes() + b"\x07")
    noise = left(root, tone(440, 8000, 0.5))
    reel_path(root / noise, CALLER).write_bytes(np.random.default_rng(1).bytes(3001))
    linked = left(root, tone(440, 8000, 0.5))
    reel_path(root / linked, AGENT).symlink_to(root / "nowhere")
    studio.tapes.recover()
    await studio.tapes.close()
    assert samples_of(studio.tapes, pcm).shape == (16_000, 2)
    assert samples_of(studio.tapes, noise).shape == (6_002, 2)
    assert samples_of(studio.tapes, linked).shape == (8_000, 2)


BROKEN = ["", "{", "[]", '{"legs": 3}', '{"call_id": "x", "started_at": "yesterday", "legs": {}}']
BROKEN += [
    '{"call_id": "x", "started_at": "2026-01-01", "legs": {"caller": {"encoding": "mp3", "rate": 8000}}}'
]
BROKEN += [
    '{"call_id": "x", "started_at": "2026-01-01", "legs": {"caller": {"encoding": "ulaw", "rate": 0}}}'
]


@pytest.mark.parametrize("text", BROKEN)
async def test_a_tape_that_cannot_be_understood_is_set_aside(studio: Any, tone: Tone, text: str) -> None:
    root = studio.directory / "recordings"
    call = left(root, tone(440, 8000, 0.5))
    (root / call / "tape.json").write_text(text)
    assert studio.tapes.leftovers() == {call: 0}
    with capture_logs() as logs:
        studio.tapes.recover()
        await studio.tapes.close()
    assert (root / f"{call}.damaged" / "caller.part").stat().st_size == 4000
    assert logs[-1]["event"] == "recording could not be sealed"
    assert studio.tapes.leftovers() == {}
    await studio.tapes.delete(call)
    assert list(root.iterdir()) == []


async def test_what_cannot_be_sealed_in_time_is_sealed_at_the_next_start(
    tmp_path: Path, studios: Callable[[Path], Any], tone: Tone
) -> None:
    before = studios(tmp_path)
    call = before.begin()
    tape = before.tapes.open(call, FORMATS)
    tape.write(CALLER, 0, to_bytes(tone(440, 8000, 20.0), Encoding.ULAW))
    await before.tapes.close(patience=0.0)
    await before.store.close()
    after = studios(tmp_path)
    durations = after.tapes.leftovers()
    assert durations == {call: 20_000}
    assert after.store.recover(ManualClock().wall(), durations) == [call]
    after.tapes.recover()
    assert await after.recording(call) is RecordingState.SEALED
    record = await after.store.call(call)
    assert (record.state, record.duration_ms) == ("recovered", 20_000)
    await after.tapes.close()
    await after.store.close()
