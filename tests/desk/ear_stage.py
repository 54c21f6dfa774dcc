"""An operator's ear on virtual time: a seat that keeps what it is given, a voice that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from offhook.audio.frame import WIDEBAND, AudioFormat
from offhook.desk.ear import EarWishes
from offhook.desk.ear_queue import EarLine, EarQueue, FirstSound
from offhook.desk.narration import Narrator
from offhook.desk.voices import VoiceBook
from offhook.foundation.desk_events import CardChanged, CardStatus, CoachingCard, WarningLevel
from offhook.foundation.errors import ProviderError
from offhook.foundation.people import Person, Role

OPERATOR = Person("op-1", "Ola", Role.OPERATOR)


class FakeEar:
    """Hears in real (virtual) time: `on_done(True)` once the sound would be over."""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self.volume = 1.0
        self.duck = 1.0
        self.open = True
        self.heard: list[tuple[float, bytes]] = []
        self.gains: list[tuple[float, float]] = []
        self.stopped_at: list[float] = []
        self._timer: asyncio.TimerHandle | None = None
        self._done: Callable[[bool], None] | None = None

    @property
    def sounds(self) -> bool:
        return self._done is not None

    def play(self, audio: bytes, on_done: Callable[[bool], None]) -> None:
        assert self._done is None, "two sounds at once in one ear"
        assert len(audio) % self.format.width == 0
        assert audio
        if not self.open:
            on_done(False)
            return
        loop = asyncio.get_running_loop()
        self.heard.append((loop.time(), audio))
        self.gains.append((self.volume, self.duck))
        self._done = on_done
        self._timer = loop.call_later(self.format.ms(len(audio)) / 1000, self._over, True)

    def stop(self) -> None:
        if self._done is not None:
            self.stopped_at.append(asyncio.get_running_loop().time())
            self._over(False)

    def _over(self, whole: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
        done, self._done = self._done, None
        assert done is not None
        done(whole)


class FakeSeat:
    def __init__(self, format: AudioFormat = WIDEBAND, id: str = "seat-1", person: Person = OPERATOR) -> None:
        self.id = id
        self.person = person
        self.format = format
        self.speaking = False
        self.gone = False
        self.ear = FakeEar(format)


@dataclass
class Manner:
    """How a text is spoken: after `delay`, in `pieces` of `piece_ms`, `pause` between; then `error`."""

    delay: float = 0.1
    pieces: int = 10
    piece_ms: float = 100
    pause: float = 0.0
    error: str = ""
    odd: Any = None


@dataclass
class MoodyTts:
    """Speaks each text in its manner. The sound of a text is its own: a byte of its hash, repeated."""

    name: str = "moody"
    usual: Manner = field(default_factory=Manner)
    manners: dict[str, Manner] = field(default_factory=dict)
    asked: list[tuple[str, str, str, AudioFormat]] = field(default_factory=list)
    cancelled: int = 0
    languages: tuple[str, ...] = ()

    def voices(self) -> list[str]:
        return ["plain", "other"]

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        self.asked.append((text, voice, language, format))
        manner = self.manners.get(text, self.usual)
        try:
            await asyncio.sleep(manner.delay)
            for number in range(manner.pieces):
                if number and manner.pause:
                    await asyncio.sleep(manner.pause)
                yield sound_of(text, format, manner.piece_ms)
            if manner.odd is not None:
                raise manner.odd
            if manner.error:
                raise ProviderError(self.name, manner.error)
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise

    async def close(self) -> None: ...


def sound_of(text: str, format: AudioFormat, ms: float = 100) -> bytes:
    return bytes([sum(text.encode()) % 251 + 1]) * format.size(ms)


def card(id: str = "c1", spoken: str = "Ask for the number.", **more: Any) -> CoachingCard:
    usual = CoachingCard(
        id=id,
        turn=1,
        profile="fraud",
        intent="pressure",
        confidence=0.9,
        reasoning="",
        strategy="",
        warning_level=WarningLevel.HIGH,
        warning="",
        suggestions=[],
        recommended_response="",
        spoken=spoken,
        language="en",
        priority=1,
        expires_ms=60_000,
        ended_ms=0,
        made_ms=0,
    )
    return replace(usual, **more)


class Desk:
    """One seat's queue, its timeline, and media time that is the loop's."""

    def __init__(
        self,
        tts: MoodyTts | None = None,
        seat: FakeSeat | None = None,
        wishes: EarWishes | None = None,
        zero: float | None = None,
    ) -> None:
        self.tts = tts or MoodyTts()
        self.seat = seat or FakeSeat()
        self.narrator = Narrator(VoiceBook(self.tts, [], frozenset(), self._no_other))
        self.changes: list[tuple[float, CardChanged]] = []
        self.sounds: list[str] = []
        self.firsts: list[FirstSound] = []
        self._zero = asyncio.get_running_loop().time() if zero is None else zero
        line = EarLine(self._emit, self.now_ms, self.sounds.append, self.firsts.append)
        self.queue = EarQueue(self.seat, self.narrator, wishes or EarWishes(), line)

    def now_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._zero) * 1000

    def _emit(self, change: CardChanged) -> None:
        self.changes.append((self.now_ms() / 1000, change))

    def _no_other(self, name: str) -> Any:
        raise AssertionError(name)

    @property
    def ear(self) -> FakeEar:
        return self.seat.ear

    def statuses(self, card_id: str = "c1") -> list[CardStatus]:
        return [change.status for _, change in self.changes if change.id == card_id]

    def note(self, card_id: str = "c1") -> str:
        return next(change.note for _, change in reversed(self.changes) if change.id == card_id)

    def when(self, card_id: str, status: CardStatus) -> float:
        return next(at for at, change in self.changes if change.id == card_id and change.status is status)

    def played(self) -> list[str]:
        return [change.id for _, change in self.changes if change.status is CardStatus.PLAYING]

    async def close(self) -> None:
        self.queue.close()
        await self.narrator.close()
