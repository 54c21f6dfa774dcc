"""The words of one human on a call: voice activity, a recognizer of its own, the end of turns. Answers none.

Also hears the caller where a vendor does otherwise, while a human has taken over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from offhook.call.clockwork import Walked
from offhook.call.hold_audio import Pattern, hold_pattern
from offhook.call.judge import words
from offhook.call.legs import PRE_ROLL_MS, WINDOW_MS, CallerLeg
from offhook.call.speaking import Spawn
from offhook.call.timeline import failure
from offhook.call.turns import Signal
from offhook.call.voice import Voice, VoiceTimes
from offhook.foundation.errors import OffhookError, ProviderError
from offhook.foundation.events import (
    CallEvent,
    LegKind,
    SpeechEnded,
    SpeechStarted,
    TranscriptFinal,
    TranscriptPartial,
)
from offhook.speech.base import Recognizer, Stt, Transcript

ENDPOINT_MS = 500
"""Silence after which a human's turn is over: nobody answers it, but an operator's coach waits for it."""
MAX_TURN_MS = 30_000
HEARD_DEADLINE_S = 4.0
RETRY_MS = 2_000
_ABSENT_MS = 200


@dataclass(frozen=True, slots=True)
class Fittings:
    """What legs need of the house: a recognizer's provider, the languages spoken, and the media clock's
    `walk` and `rest`. Without `stt` nothing that humans say is written down."""

    stt: Stt | None = None
    languages: tuple[str, ...] = ("en",)
    walk: Callable[[Walked], None] = lambda leg: None
    rest: Callable[[Walked], None] = lambda leg: None
    hold: Pattern = hold_pattern
    """What a caller hears who waits."""
    tap: Callable[[int, bytes], None] | None = None
    """Takes the caller's sound, frame by frame."""


NO_FITTINGS = Fittings()


class Scribe(Protocol):
    """Where it is written down what was said, and when: the call's timeline, or a part of it."""

    def emit(self, event: CallEvent) -> None: ...

    def now_ms(self) -> float: ...

    def at_ms(self, monotonic: float) -> float: ...


class Discreet:
    """A timeline that is told of no words and no voice: what a human says in private is not of the call."""

    def __init__(self, timeline: Scribe) -> None:
        self._timeline = timeline

    def emit(self, event: CallEvent) -> None:
        if not isinstance(event, SpeechStarted | SpeechEnded | TranscriptPartial | TranscriptFinal):
            self._timeline.emit(event)

    def now_ms(self) -> float:
        return self._timeline.now_ms()

    def at_ms(self, monotonic: float) -> float:
        return self._timeline.at_ms(monotonic)


class Count(Protocol):
    """Numbers turns."""

    def next(self, leg: LegKind) -> int: ...

    def take(self, leg: LegKind) -> int: ...


@dataclass(slots=True)
class TurnCounter:
    """Turns per kind of leg, from 1."""

    counts: dict[LegKind, int] = field(default_factory=dict)

    def next(self, leg: LegKind) -> int:
        """The number of the turn that is being spoken."""
        return self.counts.get(leg, 0) + 1

    def take(self, leg: LegKind) -> int:
        """That number, for a turn that ended."""
        self.counts[leg] = self.next(leg)
        return self.counts[leg]


class HumanHearing:
    """Implements Walked. `said(text)` gets words that may still grow, `on_turn(text)` those of a turn that is
    over. A recognizer that fails is told on the timeline, and another one is tried a little later."""

    def __init__(
        self,
        leg: CallerLeg,
        kind: LegKind,
        speaker: str,
        fittings: Fittings,
        timeline: Scribe,
        spawn: Spawn,
        turns: Count,
        said: Callable[[str], None],
        on_turn: Callable[[int, str], None],
    ) -> None:
        self.leg = leg
        self.voice = Voice(VoiceTimes())
        self._kind = kind
        self._speaker = speaker
        self._fittings = fittings
        self._timeline = timeline
        self._spawn = spawn
        self._turns = turns
        self._said = said
        self._on_turn = on_turn
        self._recognizer: Recognizer | None = None
        self._retry_at_ms = 0.0
        self._troubled = False
        self._began_ms = 0
        self._serial = 0
        self._finding: asyncio.Task[None] | None = None
        self._transcript: Transcript | None = None
        self._hearing = False
        self._ended = False
        self.text = ""
        """The words of the turn that is being spoken, as far as they are known."""

    @property
    def spoken_ms(self) -> int:
        """For how long the human has spoken, who speaks now; else 0."""
        voice = self.voice
        return voice.speech_ended_ms - voice.speech_began_ms if voice.speaking else 0

    @property
    def owes_words(self) -> bool:
        """Whether a turn is being spoken, or was, whose words are not final."""
        return self._hearing

    # What the media clock asks.

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the leg's audio was judged."""
        signal = self.voice.feed(probability, self.leg.position_ms, WINDOW_MS)
        self.leg.taken(window)
        if self._hearing and self._recognizer is not None:
            self._recognizer.push(window)
        if signal is not None:
            self._note(signal)
        elif self._hearing and self._is_long and (self._finding is None or self._finding.done()):
            self._find()  # once at a time: a newer question voids the one under way

    def tick(self, now: float) -> None:
        """Every 20 ms; `now` is the clock's."""
        self.pass_time(self._timeline.at_ms(now))

    def pass_time(self, now_ms: float) -> None:
        """Time passes: a leg that sends nothing is silent, a turn that paused is over after a while."""
        if now_ms - self.leg.heard_at_ms > _ABSENT_MS:
            signal = self.voice.absent(20)
            if signal is not None:
                self._note(signal)
        if self._transcript is not None and self._is_over():
            self._commit()

    def fail(self, error: BaseException) -> None:
        """A fault of this leg's words is not the call's: they are given up, it goes on."""
        self._timeline.emit(failure("stt", ProviderError("stt", type(error).__name__)))
        self.close()

    # Within.

    def _note(self, signal: Signal) -> None:
        if signal is Signal.SPEECH_STARTED:
            self._timeline.emit(SpeechStarted(self._kind, self.voice.speech_began_ms))
            self._begin()
        elif signal is Signal.SPEECH_PAUSED:
            self._timeline.emit(SpeechEnded(self._kind, self.voice.speech_ended_ms))
            self._find()

    def _begin(self) -> None:
        self._serial += 1
        self._transcript = None
        if self._hearing or self._ended:
            return
        recognizer = self._recognizer or self._open()
        if recognizer is None:
            return
        self._hearing = True
        self.text = ""
        self._began_ms = max(self.voice.speech_began_ms, self.leg.position_ms - PRE_ROLL_MS)
        recognizer.begin()
        recognizer.push(self.leg.pre_roll())

    def _open(self) -> Recognizer | None:
        fittings = self._fittings
        if fittings.stt is None or self._timeline.now_ms() < self._retry_at_ms:
            return None
        languages = fittings.languages
        try:
            if len(languages) == 1:
                self._recognizer = fittings.stt.open(self.leg.format, languages[0], self._partial)
            else:
                self._recognizer = fittings.stt.open(self.leg.format, "", self._partial, languages)
        except OffhookError as error:
            self._trouble(error)
        return self._recognizer

    def _partial(self, text: str) -> None:
        if self._hearing and not self._ended:
            self.text = text
            self._said(text)
            number = self._turns.next(self._kind)
            self._timeline.emit(TranscriptPartial(self._kind, number, text, self._speaker))

    def _find(self) -> None:
        if self._hearing and self._recognizer is not None:
            self._serial += 1
            self._finding = self._spawn(self._words(self._recognizer, self._serial), "words")

    async def _words(self, recognizer: Recognizer, serial: int) -> None:
        try:
            async with asyncio.timeout(HEARD_DEADLINE_S):
                transcript = await recognizer.finish()
        except Exception as error:
            self._trouble(error)
            return
        self._troubled = False
        if serial != self._serial or self._ended:
            return
        self._transcript = transcript
        self.text = transcript.text
        self._said(transcript.text)
        if self._is_over():
            self._commit()

    @property
    def _is_long(self) -> bool:
        return self.leg.position_ms - self._began_ms >= MAX_TURN_MS

    def _is_over(self) -> bool:
        return self._is_long or (not self.voice.speaking and self.voice.silence_ms >= ENDPOINT_MS)

    def _commit(self) -> None:
        """The turn is over: its words are final."""
        transcript, self._transcript = self._transcript, None
        self._hearing = False
        if self._recognizer is not None:
            self._recognizer.drop()
        if transcript is None or not words(transcript.text):
            return
        text = transcript.text.strip()
        number = self._turns.take(self._kind)
        ended_ms = max(self.voice.speech_ended_ms, self._began_ms)
        final = TranscriptFinal(
            self._kind, number, text, self._began_ms, ended_ms, transcript.language, speaker=self._speaker
        )
        self._timeline.emit(final)
        self._on_turn(number, text)
        if self.voice.speaking:
            self._begin()

    def _trouble(self, error: Exception) -> None:
        """Told once until it works again; the next turn tries anew."""
        if not self._troubled:
            self._timeline.emit(failure("stt", error))
        self._troubled = True
        self._retry_at_ms = self._timeline.now_ms() + RETRY_MS
        self._hearing = False
        self._let_go()

    def _let_go(self) -> None:
        recognizer, self._recognizer = self._recognizer, None
        if recognizer is not None:
            self._spawn(_close(recognizer), "recognizer")

    def hush(self) -> None:
        """Nobody hears this leg any more: what it was saying is found, nothing more is taken down."""
        if self.voice.speaking:
            signal = self.voice.absent(1_000)
            if signal is not None:
                self._note(signal)

    def close(self) -> asyncio.Task[None] | None:
        """The leg is gone: its last words are still found, then the recognizer is let go. The task of that,
        if there is one."""
        recognizer, self._recognizer = self._recognizer, None
        was_ended, self._ended = self._ended, True
        if recognizer is None or was_ended:
            return None
        return self._spawn(self._last_words(recognizer), "last words")

    async def _last_words(self, recognizer: Recognizer) -> None:
        try:
            if self._hearing and self._transcript is None:
                async with asyncio.timeout(HEARD_DEADLINE_S):
                    self._transcript = await recognizer.finish()
            self._commit()
        except Exception as error:
            self._timeline.emit(failure("stt", error))
        finally:
            await _close(recognizer)


async def _close(recognizer: Recognizer) -> None:
    try:
        async with asyncio.timeout(HEARD_DEADLINE_S):
            await recognizer.close()
    except Exception:
        return
