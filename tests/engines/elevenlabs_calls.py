"""A call for the tests of the ElevenLabs engine: it writes down what it hears, and speaks at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from tests.fakes.elevenlabs import AGENT, KEY, FakeAgents
from tests.fakes.voice import at_rate

from offhook.audio.convert import to_bytes
from offhook.audio.frame import PHONE, AudioFormat
from offhook.engines.duplex import DuplexContext
from offhook.engines.elevenlabs import AgentOptions, ElevenLabsEngine, ElevenLabsFactory
from offhook.foundation.agent import Agent
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import ProviderError
from offhook.speech.base import Message, ToolCall


class Call:
    """Listens to an engine, as a call does. `log` is all that it was told, in order; `onto` does something on
    the first of a kind of it."""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self.log: list[tuple[Any, ...]] = []
        self.sounds: dict[str, bytes] = {}
        self.texts: dict[str, str] = {}
        self.troubles: list[ProviderError] = []
        self.history: list[Message] = []
        self.onto: dict[str, Callable[..., None]] = {}
        self.engine: ElevenLabsEngine
        self.running: asyncio.Task[None]
        self._news = asyncio.Event()

    def kinds(self, *but: str) -> list[str]:
        """The kinds of what it was told; repeated ones once."""
        kinds = [entry[0] for entry in self.log if entry[0] not in but]
        return [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind]

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [entry[1:] for entry in self.log if entry[0] == kind]

    async def until(self, holds: Callable[[], Any], seconds: float = 3.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self._news.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"in vain: {self.kinds()}, {self.troubles}") from None

    def speaks(self, seconds: float = 0.6, silence: float = 0.3) -> bytes:
        """The caller says something and falls silent, all at once in frames of 20 ms; returns the sound."""
        sound = to_bytes(at_rate(seconds, self.format.rate), self.format.encoding)
        sound += self.format.silence(self.format.samples(silence * 1000))
        size = self.format.size(20)
        for at in range(0, len(sound), size):
            self.engine.hear(sound[at : at + size])
        return sound

    def _told(self, kind: str, *what: Any) -> None:
        self.log.append((kind, *what))
        self._news.set()
        if (do := self.onto.get(kind)) is not None:
            do(*what)

    def on_ready(self) -> None:
        self._told("ready")

    def on_speech(self, began: bool, item: str = "") -> None:
        self._told("began" if began else "stopped")

    def on_words(self, text: str, final: bool, language: str = "", item: str = "") -> None:
        self._told("words" if final else "partial", text)

    def on_sound(self, item: str, audio: bytes) -> None:
        self.sounds[item] = self.sounds.get(item, b"") + audio
        self._told("sound", item)

    def on_text(self, item: str, text: str) -> None:
        self.texts[item] = self.texts.get(item, "") + text
        self._told("text", item)

    def on_spoken(self, item: str) -> None:
        self._told("spoken", item)

    def on_interrupted(self) -> None:
        self._told("interrupted")

    def on_tool(self, call: ToolCall) -> None:
        self._told("tool", call)

    def on_trouble(self, error: ProviderError) -> None:
        self.troubles.append(error)
        self._told("trouble", error.reason)


def options(house: FakeAgents, **changes: Any) -> AgentOptions:
    return replace(AgentOptions(key=KEY, url=house.url, agent_id=AGENT, connect_seconds=2.0), **changes)


@asynccontextmanager
async def calling(
    house: FakeAgents,
    format: AudioFormat = PHONE,
    agent: Agent | None = None,
    variables: dict[str, Any] | None = None,
    text_only: bool = False,
    greeting: str = "",
    **changes: Any,
) -> AsyncIterator[Call]:
    """A call that is under way. It ends with the block; the fake must have found nothing wrong by then."""
    factory = ElevenLabsFactory(options(house, **changes), SystemClock())
    call = Call(format)
    context = DuplexContext(
        "call_1", agent or Agent(), format, lambda: call.history, variables or {}, text_only=text_only
    )
    call.engine = factory.converse(context)
    if greeting:
        call.engine.greet(greeting)
    call.running = asyncio.create_task(call.engine.run(call))
    try:
        yield call
    finally:
        call.running.cancel()
        await asyncio.gather(call.running, return_exceptions=True)
        await call.engine.close()
        await factory.close()
    assert house.wrong == []
