"""Stand-ins for vendors of speech on virtual time: they fail, stall, refuse or recover when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from itertools import groupby

from offhook.audio.frame import PHONE, AudioFormat
from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError, UnfitError
from offhook.foundation.events import LegKind
from offhook.speech.base import ChatRequest, Message, TextDelta, ToolCall, Transcript

SOUND = PHONE.silence(800)
"""A tenth of a second."""


class Vendor:
    """What all of them share. `probe` fails with `ill`; `closed` tells whether it was closed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ill: ProviderError | None = None
        self.probes = 0
        self.closed = False

    async def probe(self) -> None:
        self.probes += 1
        if self.ill is not None:
            raise self.ill

    async def close(self) -> None:
        self.closed = True


Step = float | ProviderError | bytes
"""Seconds of silence, a failure, or sound."""


class Voice(Vendor):
    """Speaks by `script`, or two pieces of sound; by one of `scripts` after another while there are some.
    `said` keeps what was asked of it."""

    def __init__(self, name: str, *script: Step, voices: Sequence[str] = ()) -> None:
        super().__init__(name)
        self.script: Sequence[Step] = script or (SOUND, SOUND)
        self.scripts: list[Sequence[Step]] = []
        self.names = list(voices)
        self.said: list[tuple[str, str, str]] = []

    def voices(self) -> Sequence[str]:
        return self.names

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        self.said.append((text, voice, language))
        for step in self.scripts.pop(0) if self.scripts else self.script:
            match step:
                case ProviderError():
                    raise step
                case bytes():
                    yield step
                case _:
                    await asyncio.sleep(step)


class Ear(Vendor):
    """Hears bytes as words: each byte of the utterance is one word of `lexicon`. Fails with `error`, after
    `delay` seconds; `deaf_to` are languages that it refuses."""

    def __init__(self, name: str, lexicon: Sequence[str] = (), deaf_to: Iterable[str] = ()) -> None:
        super().__init__(name)
        self.lexicon = lexicon
        self.deaf_to = tuple(deaf_to)
        self.error: ProviderError | None = None
        self.delay = 0.0
        self.opened: list[Recognized] = []

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> Recognized:
        for wanted in (language, *languages):
            if wanted in self.deaf_to:
                raise UnfitError(self.name, f"does not understand {wanted!r}")
        recognizer = Recognized(self, on_partial)
        self.opened.append(recognizer)
        return recognizer


class Recognized:
    """One leg's recognizer of an Ear. The words so far are told at each push."""

    def __init__(self, ear: Ear, on_partial: Callable[[str], None] | None) -> None:
        self._ear = ear
        self._on_partial = on_partial
        self.audio = b""
        self.begun = 0
        self.closed = False

    def begin(self) -> None:
        self.begun += 1
        self.audio = b""

    def push(self, audio: bytes) -> None:
        self.audio += audio
        if self._on_partial is not None and self._ear.error is None:
            self._on_partial(self._words())

    def _words(self) -> str:
        lexicon = self._ear.lexicon
        if len(lexicon) == 1:
            return lexicon[0] if self.audio else ""
        return " ".join(word for word, _ in groupby(lexicon[byte % len(lexicon)] for byte in self.audio))

    async def finish(self) -> Transcript:
        words = self._words()
        await asyncio.sleep(self._ear.delay)
        if self._ear.error is not None:
            raise self._ear.error
        return Transcript(words, "en")

    def drop(self) -> None:
        self.audio = b""

    async def close(self) -> None:
        self.closed = True


Part = str | float | ToolCall | ProviderError


class Model(Vendor):
    """Replies with its parts: words, seconds of silence, tool calls, a failure. `requests` keeps what it was
    asked, `finished` how many replies were read to their end, `left` how many ended in any way."""

    def __init__(self, name: str, *parts: Part) -> None:
        super().__init__(name)
        self.parts: Sequence[Part] = parts or (f"I am {name}. ", "How can I help? ")
        self.requests: list[ChatRequest] = []
        self.unprepared: ProviderError | None = None
        self.finished = self.left = 0

    async def prepare(self, agents: Iterable[Agent]) -> None:
        if self.unprepared is not None:
            raise self.unprepared

    def open(self, agent: Agent) -> Model:
        return self

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        self.requests.append(request)
        try:
            for part in self.parts:
                match part:
                    case str():
                        yield TextDelta(part)
                    case ToolCall():
                        yield part
                    case ProviderError():
                        raise part
                    case _:
                        await asyncio.sleep(part)
            self.finished += 1
        finally:
            self.left += 1


def asked(agent: Agent, text: str = "When are you open?") -> ChatRequest:
    """A caller's question."""
    return ChatRequest(agent, [Message(LegKind.CALLER, text)], language=agent.language)
