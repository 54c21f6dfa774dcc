"""The words of one human on a call, one window after the other, by a recognizer that takes its time."""

from __future__ import annotations

import asyncio

from tests.call.human_stage import settle

from offhook.audio.frame import WIDEBAND
from offhook.call.human_hearing import MAX_TURN_MS, Fittings, HumanHearing, TurnCounter
from offhook.call.legs import WINDOW_MS, CallerLeg
from offhook.foundation.events import LegKind, TranscriptFinal
from offhook.speech.base import Transcript

WINDOW = bytes(WIDEBAND.size(WINDOW_MS))


class SlowEar:
    """A recognizer that says how much it was given, once it is let."""

    def __init__(self) -> None:
        self.pushed = self.asked = 0
        self.free = asyncio.Event()

    def begin(self) -> None:
        self.pushed = 0

    def push(self, audio: bytes) -> None:
        self.pushed += len(audio)

    async def finish(self) -> Transcript:
        self.asked += 1
        said = f"{self.pushed} bytes were said"
        await self.free.wait()
        return Transcript(said, "en")

    def drop(self) -> None:
        self.pushed = 0

    async def close(self) -> None: ...


class Ears:
    name = "slow"

    def __init__(self, ear: SlowEar) -> None:
        self.ear = ear

    def open(self, *given: object, **named: object) -> SlowEar:
        return self.ear


class Notes:
    """A timeline."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.ms = 0.0

    def emit(self, event: object) -> None:
        self.events.append(event)

    def now_ms(self) -> float:
        return self.ms

    def at_ms(self, monotonic: float) -> float:
        return monotonic * 1000


async def test_a_monologue_becomes_words_though_the_recognizer_takes_a_while():
    """It is asked once for a turn that is too long, not at every window: a newer question voids the last."""
    ear, notes, tasks = SlowEar(), Notes(), []
    leg = CallerLeg(WIDEBAND, lambda at, audio: None)

    def spawn(work, name):
        tasks.append(asyncio.get_running_loop().create_task(work, name=name))
        return tasks[-1]

    hearing = HumanHearing(
        leg,
        LegKind.OPERATOR,
        "s1",
        Fittings(stt=Ears(ear)),
        notes,
        spawn,
        TurnCounter(),
        str,
        lambda n, t: None,
    )

    async def speak(ms: int) -> None:
        for _ in range(ms // WINDOW_MS):
            leg.take(WINDOW, int(notes.ms), notes.ms)
            notes.ms += WINDOW_MS
            hearing.window(WINDOW, 1.0)
            await asyncio.sleep(0)

    await speak(MAX_TURN_MS + 2_000)
    assert ear.asked == 1
    ear.free.set()
    await settle()
    finals = [event for event in notes.events if isinstance(event, TranscriptFinal)]
    assert [(final.turn, final.leg) for final in finals] == [(1, LegKind.OPERATOR)]
    assert hearing.owes_words  # what is said from here on is the next turn
    ear.free.clear()
    await speak(MAX_TURN_MS)
    ear.free.set()
    await settle()
    assert len([event for event in notes.events if isinstance(event, TranscriptFinal)]) == 2
    last = hearing.close()
    if last is not None:
        await last
    await asyncio.gather(*tasks)
