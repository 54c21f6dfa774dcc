"""Texts become sound in memory, clause by clause, while somebody listens already. Plays none, writes none.

One text in one voice and format is spoken once, however many ears want it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.tempo import Tempo
from offhook.desk.voices import VoiceBook
from offhook.engines.chunking import Clauses
from offhook.foundation.errors import LimitError, OffhookError, ProviderError
from offhook.speech.fallback import timed
from offhook.speech.spoken import said_aloud

FIRST_S = 2.0
"""From the wish to the first sound; a coach that is later has nothing to say any more."""
NEXT_S = 3.0
MAX_CHARS = 600
MAX_SECONDS = 60.0
AT_ONCE = 3
"""Narrations that speak at a time, so that live calls keep their voice."""
KEPT = 24
KEPT_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be spoken, how, and as what."""

    text: str
    language: str
    provider: str
    voice: str
    speed: float
    format: AudioFormat


class Narration:
    """One text as sound that grows: `audio` has what there is, whole samples of `wanted.format`.

    `done` says that nothing more comes; `error` why that is not all of it, safe to show.
    """

    __slots__ = ("_watchers", "audio", "done", "error", "listeners", "task", "wanted")

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.audio = bytearray()
        self.done = False
        self.error = ""
        self.listeners = 0
        self.task: asyncio.Task[None] | None = None
        self._watchers: list[Callable[[], None]] = []

    @property
    def whole(self) -> bool:
        """Whether it was spoken to its end."""
        return self.done and not self.error

    @property
    def seconds(self) -> float:
        """How long it is so far."""
        return self.wanted.format.ms(len(self.audio)) / 1000

    def watch(self, watcher: Callable[[], None]) -> None:
        """Tell of more sound, and of the end."""
        self._watchers.append(watcher)

    def end(self, error: str) -> None:
        """Nothing more comes; with an `error`, that was not all. Idempotent."""
        if not self.done:
            self.done, self.error = True, error
            self.tell()
            self._watchers.clear()

    def tell(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()


class Narrator:
    """Speaks for all desks of the process. Nothing outlives `close`."""

    def __init__(self, book: VoiceBook, first_s: float = FIRST_S) -> None:
        self._book = book
        self._first_s = first_s
        self._kept: OrderedDict[Wanted, Narration] = OrderedDict()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, wanted: Wanted) -> Narration:
        """Immediate: speaking has begun, or begins in a moment, or was done before. Balance with `leave`."""
        narration = self._kept.get(wanted)
        if narration is None or narration.error:
            narration = Narration(wanted)
            task = asyncio.create_task(self._narrate(narration), name="narration")
            narration.task = task
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda task: narration.end("given up"))  # also before it had begun
            self._kept[wanted] = narration
        self._kept.move_to_end(wanted)
        narration.listeners += 1
        self._trim()
        return narration

    def leave(self, narration: Narration) -> None:
        """One listener less. What nobody wants any more, and is not done, is given up."""
        narration.listeners -= 1
        if narration.listeners <= 0 and not narration.done:
            if narration.task is not None:
                narration.task.cancel()
            if self._kept.get(narration.wanted) is narration:
                del self._kept[narration.wanted]

    def _trim(self) -> None:
        """Forget the oldest that nobody listens to."""
        size = sum(len(kept.audio) for kept in self._kept.values())
        for wanted, kept in tuple(self._kept.items()):
            if len(self._kept) <= KEPT and size <= KEPT_BYTES:
                return
            if kept.listeners <= 0:
                size -= len(kept.audio)
                del self._kept[wanted]

    async def _narrate(self, narration: Narration) -> None:
        try:
            async with aclosing(self._sound(narration.wanted)) as pieces:
                async for piece in timed(pieces, "the voice", self._first_s, NEXT_S):
                    narration.audio += piece
                    if narration.seconds > MAX_SECONDS:
                        raise LimitError("the voice did not come to an end")
                    narration.tell()
            if not narration.audio:
                raise ProviderError("the voice", "gave no sound")
        except OffhookError as error:
            narration.error = error.reason
        except Exception as error:  # a provider's bug costs its sound, not the operator's call
            narration.error = f"the voice failed: {type(error).__name__}"
        narration.end(narration.error)

    async def _sound(self, wanted: Wanted) -> AsyncGenerator[bytes, None]:
        """Whole samples in the format wanted. Raises OffhookError."""
        async with self._free:
            tts = await self._book.tts(wanted.provider)
            plain = wanted.speed == 1.0
            format = wanted.format if plain else AudioFormat(Encoding.PCM16, wanted.format.rate)
            tempo = Tempo(format.rate, wanted.speed)
            for clause in clauses(wanted.text):
                async for piece in tts.speak(
                    said_aloud(clause, wanted.language), wanted.voice, wanted.language, format
                ):
                    sound = piece if plain else await asyncio.to_thread(_faster, tempo, piece, wanted.format)
                    if sound:
                        yield sound
            if rest := to_bytes(tempo.finish(), wanted.format.encoding):
                yield rest

    async def close(self) -> None:
        """Give up what is being spoken."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kept.clear()


def clauses(text: str) -> list[str]:
    """What a voice is asked for, one after the other: the first is short, so that it sounds soon."""
    cut = Clauses()
    said = " ".join(text.split())[:MAX_CHARS].split()
    found = [clause for word in said for clause in cut.feed(f"{word} ")]  # in the order of a stream
    return [part for part in (*found, cut.finish()) if any(letter.isalnum() for letter in part)]


def _faster(tempo: Tempo, piece: bytes, format: AudioFormat) -> bytes:
    return to_bytes(tempo.feed(to_samples(piece, Encoding.PCM16)), format.encoding)
