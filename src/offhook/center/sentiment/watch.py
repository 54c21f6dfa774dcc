"""Follows every call and says after each of the caller's turns how the caller feels. Judges no calls.

Words and voice are read in threads of their own; what the event loop does per turn is a cut and a wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from offhook.audio.convert import to_samples
from offhook.audio.frame import AudioFormat
from offhook.audio.prosody import Prosody, measure
from offhook.call.timeline import Timeline
from offhook.center.sentiment.arousal import Ear
from offhook.center.sentiment.mood import Mood
from offhook.center.sentiment.reader import TextReader, WordsRead
from offhook.center.sentiment.recent import Recent
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import CallEnded, Entry, LegKind, TranscriptFinal
from offhook.speech.pool import Ticket, Workers

DEADLINE_S = 5.0
MOST_WAITING = 20
"""Turns of one call that may wait to be read; older ones are left out."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a thread is given: words, the language of the call, and the sound of the turn or nothing."""

    text: str
    language: str
    audio: bytes
    format: AudioFormat | None


_Read = tuple[WordsRead, Prosody | None]


class SentimentDesk:
    """Of one process. `follow` is told of every call as it begins, `tap` of its sound."""

    def __init__(self, reader: TextReader, *, voice: bool = True) -> None:
        self._reader = reader
        self._voice = voice
        self._calls: dict[str, _Call] = {}
        self.workers: Workers[_Turn, _Read] = Workers("sentiment", self._work, batch=8, polite=True)

    def follow(self, timeline: Timeline) -> Callable[[Entry], None]:
        """The sink of a call that begins."""
        call = _Call(timeline, self.workers, self._forget)
        self._calls[timeline.call_id] = call
        return call

    def tap(self, call_id: str, format: AudioFormat) -> Callable[[int, bytes], None] | None:
        """Takes the caller's frames, with the sample that each begins at; None where nobody listens."""
        call = self._calls.get(call_id)
        if call is None or not self._voice:
            return None
        call.format, call.recent = format, Recent(format)
        return call.recent.take

    async def close(self) -> None:
        """Nothing more is read."""
        for call in tuple(self._calls.values()):
            call.stop()
        self._calls.clear()
        await self.workers.close()

    def _forget(self, call_id: str) -> None:
        self._calls.pop(call_id, None)

    def _work(self, tickets: Sequence[Ticket[_Turn, _Read]]) -> None:
        for ticket in tickets:
            turn = ticket.item
            words = self._reader.read(turn.text, turn.language)
            heard = None
            if turn.audio and turn.format is not None:
                heard = measure(to_samples(turn.audio, turn.format.encoding), turn.format.rate)
            ticket.resolve((words, heard))


class _Call:
    """The sink of one call."""

    def __init__(
        self, timeline: Timeline, workers: Workers[_Turn, _Read], ended: Callable[[str], None]
    ) -> None:
        self._timeline = timeline
        self._workers = workers
        self._ended = ended
        self._todo: deque[tuple[TranscriptFinal, bytes]] = deque(maxlen=MOST_WAITING)
        self._task: asyncio.Task[None] | None = None
        self._mood = Mood()
        self._ear = Ear()
        self._language = ""
        self.format: AudioFormat | None = None
        self.recent: Recent | None = None

    def __call__(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, TranscriptFinal) and event.leg is LegKind.CALLER and event.text:
            self._language = event.language or self._language
            sound = self.recent.cut(event.started_ms, event.ended_ms) if self.recent is not None else b""
            self._todo.append((event, sound))
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(), name=f"{entry.call_id}:sentiment")
        elif isinstance(event, CallEnded):
            # What was said last is still read: that is how the call ended.
            self.recent = None
            if self._task is None or self._task.done():
                self._ended(entry.call_id)
            else:
                self._task.add_done_callback(lambda task: self._ended(entry.call_id))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while self._todo:
            line, sound = self._todo.popleft()
            try:
                words, voice = await self._workers.run(
                    _Turn(line.text, self._language, sound, self.format), DEADLINE_S
                )
            except ProviderError as error:
                _log.warning("a turn's sentiment was not read", reason=error.reason)
                continue
            heard = self._ear.hear(voice, len(line.text.split())) if voice is not None else None
            self._timeline.emit(self._mood.turn(line.turn, words, heard, line.ended_ms))
