"""A call's sound from the first frame to the sealed file, and everything that may go wrong on the way."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offhook.audio.convert import to_bytes
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat
from offhook.audio.wav import read_wav
from offhook.foundation.errors import NotFoundError, StorageError
from offhook.foundation.events import Entry, LegKind, TranscriptFinal
from offhook.foundation.ids import call_id
from offhook.storage import deck, sealer
from offhook.storage.base import Recorder, RecordingState, Tape
from offhook.storage.disk import can_sync_all, sync_file_system
from offhook.storage.recordings import Tapes
from offhook.storage.tape import WAITING_FRAMES

CALLER, AGENT = LegKind.CALLER, LegKind.AGENT
FORMATS = {CALLER: PHONE, AGENT: WIDEBAND}
Tone = Callable[..., np.ndarray[Any, np.dtype[np.int16]]]


def write(tape: Tape, leg: LegKind, format: AudioFormat, samples: Any, at: int = 0) -> None:
    """20 ms frames, as a call writes them."""
    data, size = to_bytes(samples, format.encoding), format.size(20)
    for start in range(0, len(data), size):
        tape.write(leg, at + start // format.width, data[start : start + size])


async def sealed(studio: Any, tone: Tone, seconds: float = 1.0) -> str:
    """A finished call with a tone on each side."""
    call: str = studio.begin()
    tape = studio.tapes.open(call, FORMATS)
    write(tape, CALLER, PHONE, tone(440, 8000, seconds))
    write(tape, AGENT, WIDEBAND, tone(1000, 16000, seconds, 4000))
    tape.close()
    assert await studio.recording(call) is RecordingState.SEALED
    return call


def samples_of(tapes: Tapes, call: str) -> Any:
    return read_wav(b"".join(tapes.wav(call).chunks()))[0]


async def test_a_call_becomes_one_stereo_file(studio: Any, tone: Tone) -> None:
    recorder: Recorder = studio.tapes
    assert recorder is studio.tapes
    call = await sealed(studio, tone, 1.5)
    await studio.tapes.close()
    names = sorted(path.name for path in studio.tapes.ogg(call).parent.iterdir())
    assert names == [f"{call}.ogg", f"{call}.peaks.json"]
    with studio.tapes.open_ogg(call) as file:
        assert file.read(4) == b"OggS"
    found = samples_of(studio.tapes, call)
    assert found.shape == (24_000, 2)
    spectrum = np.abs(np.fft.rfft(found[:16_000].astype(float), axis=0))
    assert spectrum.argmax(axis=0).tolist() == [440, 1000]
    assert spectrum[440, 1] < spectrum[440, 0] / 300
    assert spectrum[1000, 0] < spectrum[1000, 1] / 300
    assert studio.troubles == []


async def test_the_outline_shows_both_sides(studio: Any, tone: Tone) -> None:
    peaks = studio.tapes.peaks(await sealed(studio, tone, 1.01))
    assert (peaks["duration_ms"], peaks["samples"], peaks["bucket_ms"]) == (1010, 16_160, 20)
    assert peaks["channels"] == ["caller", "agent"]
    caller, agent = peaks["peaks"]
    assert len(caller) == len(agent) == 51
    assert min(caller[1:49]) == pytest.approx(8000 / 32768, abs=0.01)
    assert min(agent[1:49]) == pytest.approx(4000 / 32768, abs=0.01)


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 10), (0, 44), (10, 50), (44, None), (45, 99), (40_001, 60_003), (127_000, 10**9)]
)
async def test_any_part_of_the_wav(studio: Any, tone: Tone, start: int, stop: int | None) -> None:
    call = await sealed(studio, tone, 2.0)
    wav = studio.tapes.wav(call)
    whole = b"".join(wav.chunks())
    assert len(whole) == wav.size == 44 + 2 * 64_000
    assert b"".join(studio.tapes.wav(call).chunks(start, stop)) == whole[start:stop]


async def test_wav_ranges_that_are_empty_or_not_wanted(studio: Any, tone: Tone) -> None:
    call = await sealed(studio, tone)
    for start, stop in ((50, 50), (60, 50), (10**9, None), (0, -5)):
        assert b"".join(studio.tapes.wav(call).chunks(start, stop)) == b""
    studio.tapes.wav(call).close()
    begun = studio.tapes.wav(call).chunks()
    next(begun)
    begun.close()


async def test_a_damaged_sealed_file(studio: Any, tone: Tone) -> None:
    call = await sealed(studio, tone, 4.0)
    path = studio.tapes.ogg(call)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    found = samples_of(studio.tapes, call)
    assert found.shape == (64_000, 2)
    assert np.abs(found[16_000:24_000]).max() > 7000
    assert np.abs(found[-8_000:]).max() == 0
    path.write_bytes(b"rubbish" * 100)
    with pytest.raises(StorageError, match="damaged"):
        samples_of(studio.tapes, call)
    for text in ("{", "[]", "{}"):
        studio.tapes.ogg(call).with_name(f"{call}.peaks.json").write_text(text)
        with pytest.raises(StorageError, match="outline"):
            studio.tapes.peaks(call)


async def test_gaps_are_measured_from_the_sound(studio: Any, tone: Tone) -> None:
    call = studio.begin()
    tape = studio.tapes.open(call, FORMATS)
    for turn, (ended, gap) in enumerate(((1.0, 0.35), (4.0, 0.8)), 1):
        write(tape, CALLER, PHONE, tone(440, 8000, 0.6), at=int((ended - 0.6) * 8000))
        write(tape, AGENT, WIDEBAND, tone(500, 16000, 0.9), at=int((ended + gap) * 16_000))
        start = int((ended + gap) * 1000) - 60
        final = TranscriptFinal(AGENT, turn, "well", start, start + 900)
        studio.store.keep(Entry(call, turn, start, final))
    tape.close()
    await studio.recording(call)
    await studio.store.flush()
    gaps = [turn.gap_ms for turn in await studio.store.turns(call)]
    assert gaps == [pytest.approx(350, abs=6), pytest.approx(800, abs=6)]
    record = await studio.store.call(call)
    assert record.response_p95_ms == gaps[1]


async def test_humans_are_heard_right_and_the_coach_never(studio: Any, tone: Tone) -> None:
    call = studio.begin()
    legs = [AGENT, LegKind.OPERATOR, LegKind.COACH, LegKind.SUPERVISOR]
    tape = studio.tapes.open(call, dict.fromkeys(legs, WIDEBAND))
    for leg, hz in zip(legs, (500, 1000, 2000, 3000), strict=True):
        write(tape, leg, WIDEBAND, tone(hz, 16000, 1.0))
    tape.write(CALLER, 0, b"\x01" * 320)
    tape.close()
    await studio.recording(call)
    spectrum = np.abs(np.fft.rfft(samples_of(studio.tapes, call).astype(float), axis=0))
    assert spectrum[:, 0].max() == 0
    right = spectrum[:, 1]
    assert right[500] == pytest.approx(right[1000], rel=0.1)
    assert right[500] == pytest.approx(right[3000], rel=0.1)
    assert right[2000] < right[500] / 300


async def test_a_call_without_sound_has_no_recording(studio: Any) -> None:
    call = studio.begin()
    tape = studio.tapes.open(call, FORMATS)
    tape.close()
    tape.close()
    tape.write(CALLER, 0, b"\xff" * 160)
    assert await studio.recording(call) is RecordingState.NONE
    with pytest.raises(NotFoundError):
        studio.tapes.wav(call)


HOSTILE = [
    "",
    ".",
    "..",
    "../offhook.db",
    "/etc/passwd",
    "%2e%2e/x",
    "call_",
    "call_" + "0" * 25,
    "call_" + "0" * 26 + "\n",
    "call_" + "0" * 26 + "\x00",
    "call_" + "0" * 26 + "/..",
    "CALL_" + "0" * 26,
    "call_" + "é" * 26,
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_only_call_ids_become_paths(studio: Any, name: str) -> None:
    for door in (studio.tapes.ogg, studio.tapes.open_ogg, studio.tapes.peaks, studio.tapes.wav):
        with pytest.raises(NotFoundError):
            door(name)
    with pytest.raises(NotFoundError):
        await studio.tapes.delete(name)
    with pytest.raises(NotFoundError):
        studio.tapes.open(name, FORMATS)


async def test_links_are_not_followed(studio: Any, tone: Tone) -> None:
    call, other = await sealed(studio, tone), call_id()
    await studio.tapes.close()
    root = studio.tapes.ogg(call).parent
    secret = studio.directory / "secret"
    secret.write_bytes(b"secret")
    for name in (f"{other}.ogg", f"{other}.peaks.json"):
        (root / name).symlink_to(secret)
    for door in (studio.tapes.ogg, studio.tapes.open_ogg, studio.tapes.peaks, studio.tapes.wav):
        with pytest.raises(NotFoundError):
            door(other)
    (root / call_id()).symlink_to(studio.directory)
    assert studio.tapes.leftovers() == {}


async def test_deleting_keeps_nothing_at_any_time(studio: Any, tone: Tone) -> None:
    done = await sealed(studio, tone)
    root = studio.tapes.ogg(done).parent
    live, closing = studio.begin(), studio.begin()
    for call in (live, closing):
        write(studio.tapes.open(call, FORMATS), CALLER, PHONE, tone(440, 8000, 30.0))
    await asyncio.sleep(0.2)
    studio.tapes._live[closing].close()
    for call in (done, live, closing, live):
        await studio.tapes.delete(call)
    await studio.tapes.close()
    await studio.store.flush()
    for call in (done, live, closing):
        assert await studio.recording(call) is RecordingState.DELETED
    assert list(root.iterdir()) == []


async def test_one_tape_for_each_call(studio: Any) -> None:
    call = studio.begin()
    tape = studio.tapes.open(call, FORMATS)
    with pytest.raises(StorageError, match="already"):
        studio.tapes.open(call, FORMATS)
    tape.close()


async def test_a_disk_that_is_too_slow_costs_sound_and_is_told_once(studio: Any) -> None:
    call = studio.begin()
    tape = studio.tapes.open(call, FORMATS)
    for _ in range(2):
        for frame in range(WAITING_FRAMES + 100):
            tape.write(CALLER, frame * 160, b"\xff" * 160)
        assert len(tape._frames) <= WAITING_FRAMES
        await asyncio.sleep(0.13)
    tape.close()
    await studio.recording(call)
    assert tape.lost >= 100
    assert [(told, "too slow" in reason) for told, reason in studio.troubles] == [(call, True)]


async def test_a_directory_that_cannot_be_written_costs_the_recording_alone(studio: Any, tone: Tone) -> None:
    call, other = studio.begin(), studio.begin()
    (studio.directory / "recordings" / call).write_text("in the way")
    tapes = [studio.tapes.open(each, FORMATS) for each in (call, other)]
    for tape in tapes:
        write(tape, CALLER, PHONE, tone(440, 8000, 0.5))
    await asyncio.sleep(0.2)
    write(tapes[0], CALLER, PHONE, tone(440, 8000, 0.5), at=4000)
    assert len(tapes[0]._frames) == 0
    for tape in tapes:
        tape.close()
    assert await studio.recording(call) is RecordingState.FAILED
    assert await studio.recording(other) is RecordingState.SEALED
    assert [told for told, _ in studio.troubles] == [call]
    assert "stopped" in studio.troubles[0][1]


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be kept"):
        Tapes(tmp_path / "file" / "below", None, lambda *_: None)  # type: ignore[arg-type]


async def test_the_tape_says_what_is_in_it(studio: Any) -> None:
    call = studio.begin()
    tape = studio.tapes.open(call, FORMATS)
    tape.write(CALLER, 0, b"\x00" * 160)
    path = studio.directory / "recordings" / call / "tape.json"
    for _ in range(100):
        if path.exists():
            break
        await asyncio.sleep(0.01)
    found = json.loads(path.read_text())
    assert found["call_id"] == call
    assert found["legs"]["caller"] == {"encoding": "ulaw", "rate": 8000}
    assert path.stat().st_mode & 0o777 == 0o600
    tape.close()


def test_a_whole_file_system_is_synced_or_an_error(tmp_path: Path) -> None:
    if not can_sync_all:
        pytest.skip("this system syncs file by file")
    sync_file_system(tmp_path)
    with pytest.raises(OSError, match="No such file"):
        sync_file_system(tmp_path / "none")


@pytest.mark.parametrize("few", [16, 0], ids=["one by one", "all at once"])
async def test_what_is_written_is_synced(
    few: int, studio: Any, tone: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is told to keep the reels while the call lasts; a disk that refuses ends nothing."""
    synced = asyncio.Event()
    loop = asyncio.get_running_loop()

    def refusing(file: int | Path) -> None:
        assert isinstance(file, int if few else Path)
        loop.call_soon_threadsafe(synced.set)
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fdatasync", refusing)
    monkeypatch.setattr(deck, "sync_file_system", refusing)
    monkeypatch.setattr(deck, "can_sync_all", True)
    monkeypatch.setattr(deck, "FEW_FILES", few)
    monkeypatch.setattr(deck, "SYNC_SECONDS", 0.02)
    tapes = Tapes(studio.directory / "others", studio.store, lambda *_: None)
    call = studio.begin()
    tape = tapes.open(call, FORMATS)
    write(tape, CALLER, PHONE, tone(440, 8000, 0.5))
    await asyncio.wait_for(synced.wait(), 5)
    tape.close()
    await tapes.close()
    await studio.store.flush()
    assert await studio.recording(call) is RecordingState.SEALED


async def test_one_bad_tape_does_not_stop_the_others(studio: Any, tone: Tone) -> None:
    def deaf(call: str, reason: str) -> None:
        raise RuntimeError("the loop is closed")

    tapes = Tapes(studio.directory / "others", studio.store, deaf)
    bad, good = studio.begin(), studio.begin()
    tapes.open(bad, FORMATS).write(CALLER, 0, "not bytes")  # type: ignore[arg-type]
    await asyncio.sleep(0.2)
    write(tapes.open(good, FORMATS), CALLER, PHONE, tone(440, 8000, 0.5))
    await tapes.close()
    await studio.store.flush()
    assert await studio.recording(bad) is RecordingState.FAILED
    assert await studio.recording(good) is RecordingState.SEALED


async def test_a_call_begins_at_once_however_slow_the_disk_is_that_keeps_another(
    studio: Any, tone: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a tape is on the loop that all calls share."""
    reached, free = threading.Event(), threading.Event()

    def slow(path: Path) -> None:
        reached.set()
        assert free.wait(10)

    monkeypatch.setattr(sealer, "sync_directory", slow)
    call = studio.begin()
    tape = studio.tapes.open(call, FORMATS)
    write(tape, CALLER, PHONE, tone(440, 8000, 0.2))
    tape.close()
    try:
        assert await asyncio.to_thread(reached.wait, 10)
        other = studio.begin()
        opening = asyncio.create_task(asyncio.to_thread(studio.tapes.open, other, FORMATS))
        done, _ = await asyncio.wait({opening}, timeout=0.3)
        assert done
    finally:
        free.set()
    (await opening).close()
    assert await studio.recording(call) is RecordingState.SEALED
