"""Humans on the tape: legs that join later, their own sealed files, what a crash leaves of them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offhook.audio.convert import to_bytes
from offhook.audio.frame import PHONE, WIDEBAND
from offhook.audio.wav import read_wav
from offhook.foundation.errors import NotFoundError
from offhook.foundation.events import LegKind
from offhook.storage.base import RecordingState

FORMATS = {LegKind.CALLER: PHONE, LegKind.AGENT: PHONE}


def write(tape: Any, leg: LegKind, format: Any, samples: Any, at: int = 0) -> None:
    data, size = to_bytes(samples, format.encoding), format.size(20)
    for start in range(0, len(data), size):
        tape.write(leg, at + start // format.width, data[start : start + size])


def samples_of(tapes: Any, call: str, leg: LegKind | None = None) -> Any:
    return read_wav(b"".join(tapes.wav(call, leg).chunks()))[0]


def strongest(samples: Any) -> int:
    return int(np.abs(np.fft.rfft(samples.reshape(-1)[:16_000].astype(float))).argmax())


async def call_with_humans(studio: Any, tone: Any) -> str:
    """Three seconds: the agent in the first, an operator in the second, a supervisor in the third."""
    call: str = studio.begin()
    tape = studio.tapes.open(call, FORMATS)
    write(tape, LegKind.CALLER, PHONE, tone(440, 8000, 3.0))
    write(tape, LegKind.AGENT, PHONE, tone(700, 8000, 1.0))
    studio.tapes._deck.wake()
    tape.join(LegKind.OPERATOR, WIDEBAND)
    write(tape, LegKind.OPERATOR, WIDEBAND, tone(1000, 16_000, 1.0), 16_000)
    tape.join(LegKind.OPERATOR, PHONE)  # it is there already, in its own format
    tape.join(LegKind.SUPERVISOR, WIDEBAND)
    write(tape, LegKind.SUPERVISOR, WIDEBAND, tone(1300, 16_000, 1.0), 32_000)
    tape.write(LegKind.COACH, 0, bytes(640))  # has no tape
    tape.close()
    assert await studio.recording(call) is RecordingState.SEALED
    return call


async def test_humans_are_on_the_right_and_in_files_of_their_own(studio: Any, tone: Any) -> None:
    call = await call_with_humans(studio, tone)
    await studio.tapes.close()
    root = studio.directory / "recordings"
    legs = ("caller", "agent", "operator", "supervisor")
    names = [f"{call}.ogg", f"{call}.peaks.json", *(f"{call}.{leg}.ogg" for leg in legs)]
    assert sorted(path.name for path in root.iterdir()) == sorted(names)
    both = samples_of(studio.tapes, call)
    right = [strongest(both[second * 16_000 :][:16_000, 1]) for second in range(3)]
    assert right == [700, 1000, 1300]
    assert strongest(both[:, 0]) == 440
    for leg, second, hertz in (("agent", 0, 700), ("operator", 1, 1000), ("supervisor", 2, 1300)):
        samples = samples_of(studio.tapes, call, LegKind(leg))
        assert samples.shape == (48_000, 1) or samples.shape == (48_000,)
        flat = samples.reshape(-1).astype(float)
        assert strongest(flat[second * 16_000 :]) == hertz
        others = np.concatenate(
            [flat[: second * 16_000 - 800 if second else 0], flat[(second + 1) * 16_000 + 800 :]]
        )
        assert np.abs(others).max() < 33  # -60 dB: of each leg its own sound alone
    assert strongest(samples_of(studio.tapes, call, LegKind.CALLER)) == 440
    with pytest.raises(NotFoundError):
        studio.tapes.ogg(call, LegKind.COACH)
    part = b"".join(studio.tapes.wav(call, LegKind.OPERATOR).chunks(44 + 33_000, 44 + 33_100))
    assert len(part) == 100
    assert any(part)


async def test_a_call_without_humans_has_no_more_files_than_before(studio: Any, tone: Any) -> None:
    call = studio.begin()
    tape = studio.tapes.open(call, FORMATS)
    write(tape, LegKind.CALLER, PHONE, tone(440, 8000, 0.5))
    tape.join(LegKind.OPERATOR, WIDEBAND)  # sat there, and was never heard
    tape.close()
    assert await studio.recording(call) is RecordingState.SEALED
    assert not (studio.directory / "recordings" / f"{call}.caller.ogg").exists()
    with pytest.raises(NotFoundError):
        studio.tapes.open_ogg(call, LegKind.OPERATOR)


async def test_deleting_takes_the_legs_too(studio: Any, tone: Any) -> None:
    call = await call_with_humans(studio, tone)
    await studio.tapes.delete(call)
    assert list((studio.directory / "recordings").glob(f"{call}*")) == []


_CRASH = """
import sys, time
from pathlib import Path
import numpy as np
from offhook.audio.frame import PHONE, WIDEBAND
from offhook.foundation.events import LegKind
from offhook.storage.recordings import Tapes

class Ledger:
    def recorded(self, *a): ...
    def turns_of(self, call): return ()
    def settle(self, timeout): return True

tapes = Tapes(Path(sys.argv[1]), Ledger(), lambda *a: None)
tape = tapes.open(sys.argv[2], {LegKind.CALLER: PHONE, LegKind.AGENT: PHONE})
tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(320) / 16000)).astype('<i2').tobytes()
for n in range(100):
    tape.write(LegKind.CALLER, n * 160, b"\\xff" * 160)
    if n == 50:
        time.sleep(0.4)
        tape.join(LegKind.OPERATOR, WIDEBAND)
    if n >= 50:
        tape.write(LegKind.OPERATOR, n * 320, tone)
time.sleep(0.4)
print("taped", flush=True)
time.sleep(30)
"""


async def test_kill_9_in_the_middle_of_a_takeover(studio: Any, tone: Any, tmp_path: Path) -> None:
    call = studio.begin()
    root = studio.directory / "recordings"
    child = subprocess.Popen([sys.executable, "-c", _CRASH, str(root), call], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"taped\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert studio.tapes.leftovers() == {call: 2000}
    assert studio.tapes.recover() == [call]
    await studio.tapes.close()
    samples = samples_of(studio.tapes, call, LegKind.OPERATOR).reshape(-1)
    assert strongest(samples[16_000:]) == 1000
    assert strongest(samples_of(studio.tapes, call)[16_000:, 1]) == 1000
