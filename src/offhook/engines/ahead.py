"""Gives a reply's words a voice, clause by clause in order, the next while one is heard. No models, no turns.

The first clause is waited for alone: nothing more is taken from the model until its first sound was taken,
so that a reply cancelled before anything was heard has not been read to its end. Later clauses are given when
they are whole, or when the caller has nearly heard what was given: until then a voice that breaks off can be
replaced unheard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from offhook.audio.frame import AudioFormat
from offhook.engines.base import Clause
from offhook.foundation.clock import Clock
from offhook.foundation.errors import BrokenOffError, ProviderError
from offhook.speech.base import ToolCall

AHEAD = 2
"""So many clauses may be in the making while one is given."""
MAX_CLAUSE_MS = 60_000
"""A voice that goes on longer than this is not speaking a clause."""
START_MS, MOST_START_MS = 60, 800
SPARE_MS = 40
SOON_MS = 400
"""So long before the caller runs out of sound, the next clause is given as far as it has come."""

Words = AsyncGenerator[str | ToolCall, None]
Sound = Callable[[str], AsyncIterator[bytes]]


class Pace:
    """How much sound of a clause to wait for before it begins: little, more once a voice was too slow.

    Shared by the calls of one voice provider. Seconds come from `clock`.
    """

    __slots__ = ("_clock", "start_ms")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.start_ms = float(START_MS)

    def now_ms(self) -> float:
        return self._clock.now() * 1000

    def ran_dry(self) -> None:
        """A caller waited in the middle of a clause."""
        self.start_ms = min(MOST_START_MS, 2 * self.start_ms + START_MS)

    def went_well(self) -> None:
        self.start_ms = max(START_MS, 0.9 * self.start_ms)


class Speech:
    """One clause in the making; it is begun at once and given, in pieces as they come, when asked."""

    def __init__(self, text: str, sound: Sound, format: AudioFormat, pace: Pace) -> None:
        self.text = text
        self._sound = sound
        self._format = format
        self._pace = pace
        self._most = format.size(MAX_CLAUSE_MS)
        self._pieces: list[bytes] = []
        self._more = asyncio.Event()
        self._given_ms = 0.0
        self._began_ms = 0.0
        self._started = self._dry = self._broken = False
        self._task = asyncio.create_task(self._make(), name=f"speech:{text[:20]}")
        self._task.add_done_callback(lambda task: self._more.set())

    async def settled(self, seconds: float) -> None:
        """Until the clause is whole, or so long."""
        if seconds > 0:
            await asyncio.wait((self._task,), timeout=seconds)

    async def next(self) -> Clause | None:
        """The clause with its first sound, then more of it, then None. One without sound is None at once;
        one whose voice broke off ends with a broken piece."""
        try:
            while not self._broken and (audio := await self._next()) is not None:
                if audio:
                    clause = Clause("" if self._started else self.text, audio, more=self._started)
                    self._started = True
                    return clause
        except BrokenOffError:
            self._broken = True
            return Clause("", b"", more=True, broken=True)
        if self._started and not self._dry:
            self._pace.went_well()
        return None

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _next(self) -> bytes | None:
        """All the sound there is by now, at least a start's worth at first; None at the end."""
        wanted = 1 if self._started else self._format.size(int(self._pace.start_ms))
        while not self._task.done() and sum(map(len, self._pieces)) < wanted:
            self._more.clear()
            await self._more.wait()
        if not self._pieces:
            self._task.result()
            return None
        audio = b"".join(self._pieces)
        self._pieces.clear()
        self._count(audio)
        return audio

    def _count(self, audio: bytes) -> None:
        now_ms = self._pace.now_ms()
        if not self._started:
            self._began_ms = now_ms
        elif not self._dry and now_ms - self._began_ms > self._given_ms + SPARE_MS:
            self._dry = True
            self._pace.ran_dry()
        self._given_ms += self._format.ms(len(audio))

    async def _make(self) -> None:
        """All of the sound; once more from its beginning where a voice broke off before any was given."""
        for is_last in (False, True):
            try:
                return await self._take(self._sound(self.text))
            except BrokenOffError:
                if self._started or is_last:
                    raise
                self._pieces.clear()
        return None

    async def _take(self, sound: AsyncIterator[bytes]) -> None:
        taken = 0
        async with aclosing(_generator(sound)) as pieces:
            async for piece in pieces:
                taken += len(piece)
                if taken > self._most:
                    raise ProviderError("tts", "a clause of speech did not come to an end")
                if piece:
                    self._pieces.append(piece)
                    self._more.set()


class Ahead:
    """One reply: reads words, has them spoken, gives clauses and tool calls in their order."""

    def __init__(self, words: Words, sound: Sound, format: AudioFormat, pace: Pace) -> None:
        self._words = words
        self._sound = sound
        self._format = format
        self._pace = pace
        self._queue: asyncio.Queue[Speech | ToolCall | None] = asyncio.Queue(AHEAD - 1)
        self._speeches: list[Speech] = []
        self._reader: asyncio.Task[None] | None = None
        self._until_ms = 0.0

    async def parts(self) -> AsyncGenerator[Clause | ToolCall, None]:
        """Raises what the words or the voice raise, after what came before."""
        try:
            while (part := await self._next()) is not None:
                if isinstance(part, ToolCall):
                    yield part
                    continue
                await part.settled((self._until_ms - SOON_MS - self._pace.now_ms()) / 1000)
                while (clause := await part.next()) is not None:
                    self._give(clause)
                    yield clause
                    self._read_on()
                self._speeches.remove(part)
        finally:
            await self._close()

    async def _next(self) -> Speech | ToolCall | None:
        if self._reader is None:
            part = await anext(self._words, None)
            return None if part is None else self._start(part)
        ready = await self._queue.get()
        if ready is None:
            await self._reader
        return ready

    def _start(self, part: str | ToolCall) -> Speech | ToolCall:
        if isinstance(part, ToolCall):
            return part
        speech = Speech(part, self._sound, self._format, self._pace)
        self._speeches.append(speech)
        return speech

    def _give(self, clause: Clause) -> None:
        """Reckon until when the caller has something to hear."""
        self._until_ms = max(self._until_ms, self._pace.now_ms()) + self._format.ms(len(clause.audio))

    def _read_on(self) -> None:
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="words")

    async def _read(self) -> None:
        try:
            async for part in self._words:
                await self._queue.put(self._start(part))
        finally:
            await self._queue.put(None)

    async def _close(self) -> None:
        tasks = [self._reader] if self._reader is not None else []
        for task in tasks:
            task.cancel()
        while not self._queue.empty():
            self._queue.get_nowait()
        await asyncio.gather(*tasks, *(s.close() for s in self._speeches), return_exceptions=True)
        await self._words.aclose()


async def _generator(sound: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """An iterator with `aclose`, so that leaving early lets go of the voice."""
    try:
        async for piece in sound:
            yield piece
    finally:
        if isinstance(sound, AsyncGenerator):
            await sound.aclose()
