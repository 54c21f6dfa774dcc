"""A recognizer over a vendor's WebSocket: one per leg, kept open between utterances, replayed when it breaks.

It knows utterances, deadlines and reconnection; what is said on the wire is the dialect's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from offhook.audio.convert import Converter, to_samples
from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import BusyError, ProviderError
from offhook.speech.base import Transcript
from offhook.speech.stt.dialect import Described, Dialect, Heard, Interim, Limits, Settled, TurnSound
from offhook.speech.stt.line import Line
from offhook.speech.stt.link import Link
from offhook.speech.stt.utterance import Utterance

_RELIEVE_MS, _RELIEVE_AT_ONCE_MS = 7_000, 9_000
_LULL = 0.1
_CLOSE_ENOUGH_MS = 1_000
_EDGE_MS = 50
"""Vendors' times are rounded: words that end this close to a drop belong to what was dropped."""
_DESCRIBE_MS = 150
_LONGEST_WAIT_S = 0.5


class StreamRecognizer:
    """One leg's utterances on one connection at a time. All methods belong to the event loop's thread.

    `dialects` makes the session of each new connection. A connection that breaks in mid-utterance is made
    again once, and what of the utterance is not settled (at most 12 s) is sent again; if that fails too,
    `finish` raises. A refusal that would only be repeated (the key, the model) fails every utterance.
    """

    def __init__(
        self,
        name: str,
        dialects: Callable[[], Dialect],
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None,
        limits: Limits,
    ) -> None:
        self.name = name
        dialect = dialects()
        self._habits = dialect.habits
        self._format = dialect.format
        self._converter = Converter(format, dialect.format)
        self._language = language
        self._on_partial = on_partial
        self._limits = limits
        self._utterance: Utterance | None = None
        self._offset_ms = self._dead_ms = 0.0
        self._changed = asyncio.Event()
        self._told = ""
        self.turn: TurnSound | None = None
        self._link = Link(name, dialects, limits, self)

    # The contract.

    def begin(self) -> None:
        self.drop()
        utterance = self._utterance = Utterance(self._format)
        utterance.error = self._link.refused
        self._converter.reset()
        if self._link.line is None:
            self._link.need()
        else:
            self._offset_ms = -self._link.line.sent_ms

    def push(self, audio: bytes) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        if utterance.error is not None:
            utterance.missed = True
            return
        sound = self._converter.process(audio)
        utterance.add(sound)
        if self._link.line is None:
            return
        self._link.line.feed(sound)
        if self._habits.relieve:
            self._relieve(self._link.line, utterance, sound)

    async def finish(self) -> Transcript:
        utterance = self._utterance
        if utterance is None:
            return Transcript("")
        if utterance.error is not None and utterance.missed:
            raise utterance.error
        if not utterance.pushed_ms:
            return Transcript("")
        target = utterance.pushed_ms
        try:
            async with asyncio.timeout(self._limits.answer):
                await self._words(utterance, target)
        except TimeoutError:
            raise ProviderError(self.name, f"gave no words within {self._limits.answer:g} s") from None
        if self._utterance is not utterance:
            return Transcript("")  # dropped meanwhile
        return utterance.transcript(self._language)

    def drop(self) -> None:
        utterance, self._utterance = self._utterance, None
        self._told = ""
        self.turn = None
        if utterance is None:
            return
        line = self._link.line
        if line is not None:
            line.forget()
            at = self._dead_ms = line.sent_ms
            unsettled = at + self._offset_ms - utterance.settled_ms
            if unsettled > 0:
                finished = 0 < utterance.wanted_ms <= utterance.settled_ms + _EDGE_MS
                line.send(line.dialect.drop(at, unsettled, finished))
        self._tell()

    async def close(self) -> None:
        self._utterance = None
        self._tell()
        await self._link.close()

    # Words.

    async def _words(self, utterance: Utterance, target: float) -> None:
        """Until the words up to `target` are known, or the utterance is no more. Raises ProviderError."""
        habits = self._habits
        if self._link.line is not None:
            self._link.line.drain()
        if not await self._within(habits.patience_ms, lambda: self._covered(utterance, target)):
            utterance.wanted_ms = max(utterance.wanted_ms, target)
            if self._link.line is not None and self._utterance is utterance:
                self._flush(self._link.line, utterance)
            if not await self._within(habits.grace_ms, lambda: self._covered(utterance, target)):
                await self._until(lambda: self._covered(utterance, target) or self._nearly(utterance, target))
        if habits.describes and self._utterance is utterance and not utterance.described:
            await self._within(_DESCRIBE_MS, lambda: utterance.described)

    def _covered(self, utterance: Utterance, target: float) -> bool:
        """Whether there is nothing left to wait for. Raises the utterance's error."""
        reach = utterance.heard_ms if self._habits.firm else utterance.settled_ms
        if self._utterance is not utterance or reach >= target - max(1, self._habits.slack_ms):
            return True
        if utterance.error is not None:
            raise utterance.error
        return False

    def _nearly(self, utterance: Utterance, target: float) -> bool:
        return self._habits.grace_ms > 0 and utterance.heard_ms >= target - _CLOSE_ENOUGH_MS

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            await self._changed.wait()

    async def _within(self, ms: float, done: Callable[[], bool]) -> bool:
        """Whether it was done within so many milliseconds; 0 does not wait."""
        if done() or ms <= 0:
            return done()
        with suppress(TimeoutError):
            async with asyncio.timeout(ms / 1000):
                await self._until(done)
        return done()

    def _flush(self, line: Line, utterance: Utterance) -> None:
        """Ask for the words of all that was pushed."""
        line.drain()
        utterance.asked_ms = utterance.pushed_ms
        unsettled = utterance.pushed_ms - utterance.settled_ms
        line.send(line.dialect.flush(line.sent_ms, unsettled))

    def _relieve(self, line: Line, utterance: Utterance, sound: bytes) -> None:
        """When speech goes on without a pause, settle what there is: in a lull, or at last anywhere."""
        waiting = utterance.pushed_ms - max(utterance.settled_ms, utterance.asked_ms)
        if waiting < _RELIEVE_MS:
            return
        if waiting < _RELIEVE_AT_ONCE_MS:
            recent = bytes(utterance.audio[-self._format.size(1_000) :])
            if _peak(sound, self._format) > _LULL * _peak(recent, self._format):
                return
        self._flush(line, utterance)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # What the link tells.

    def on_ready(self, line: Line) -> None:
        """Send what the utterance needs."""
        self._dead_ms = -float(_EDGE_MS)
        utterance = self._utterance
        if utterance is None or utterance.error is not None:
            return
        if not utterance.rewind():
            utterance.error = ProviderError(self.name, "was away too long: the first words are lost")
            self._tell()
        else:
            self._offset_ms = utterance.start_ms
            line.feed(bytes(utterance.audio))
            if utterance.wanted_ms > utterance.settled_ms:
                self._flush(line, utterance)

    def on_heard(self, heard: Heard) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        match heard:
            case Interim(text, end_ms) if end_ms > self._dead_ms + _EDGE_MS:
                utterance.hear(text, end_ms + self._offset_ms)
            case Settled(_, end_ms) if end_ms > self._dead_ms + _EDGE_MS:
                utterance.settle(heard, end_ms + self._offset_ms)
            case Described(language, confidence):
                utterance.describe(language, confidence)
            case TurnSound(_, end_ms) if end_ms > self._dead_ms + _EDGE_MS:
                self.turn = heard
            case _:
                return
        self._tell()
        if self._on_partial is not None and utterance.text and utterance.text != self._told:
            self._told = utterance.text
            self._on_partial(utterance.text)

    def on_lost(self, error: ProviderError) -> bool:
        """An utterance that is not heard to its end gets one more connection."""
        utterance = self._utterance
        if utterance is None or utterance.error is not None:
            return False
        wait = error.after if isinstance(error, BusyError) else 0.0
        again = error.retryable and wait <= _LONGEST_WAIT_S and not utterance.failures and utterance.rewind()
        if again:
            utterance.failures += 1
        else:
            utterance.error = error
        self._tell()
        return again


def _peak(sound: bytes, format: AudioFormat) -> int:
    whole = len(sound) - len(sound) % format.width
    return int(np.abs(to_samples(sound[:whole], format.encoding).astype(np.int32)).max(initial=0))
