"""A stage for calls whose vendor decides the turns: virtual time, and a vendor that does what it is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from offhook.audio.frame import PHONE
from offhook.engines.duplex import DuplexContext, DuplexListener
from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.speech.base import ToolCall

TONE = bytes(range(1, 161))
"""20 ms of sound that is not silence and not speech to the stage's detector."""


class Vendor:
    """A speech-to-speech engine and its factory. `asked` is what the call asked of it, in order; verbs in
    the third person are what the vendor does. It ends when `over` is set, with `error` if any."""

    name = "vendor"

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.heard_audio: list[bytes] = []
        self.over = asyncio.Event()
        self.error: ProviderError | None = None
        self.refused: ProviderError | None = None
        self.closed = False
        self.obedient = True
        self.context: DuplexContext
        self.tell: DuplexListener
        self._items = 0

    def converse(self, context: DuplexContext) -> Vendor:
        if self.refused is not None:
            raise self.refused
        self.context = context
        return self

    async def run(self, listener: DuplexListener) -> None:
        self.tell = listener
        listener.on_ready()
        for kind, text in [asked for asked in self.asked if asked[0] in ("greet", "say")]:
            self._obey(kind, text)
        await self.over.wait()
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        self.closed = True

    def hear(self, audio: bytes) -> None:
        self.heard_audio.append(audio)

    def type(self, text: str) -> None:
        self.asked.append(("type", text))

    def greet(self, text: str) -> None:
        self.asked.append(("greet", text))
        self._obey("greet", text)

    def say(self, text: str) -> None:
        self.asked.append(("say", text))
        self._obey("say", text)

    def instruct(self, text: str) -> None:
        self.asked.append(("instruct", text))

    def heard(self, item: str, heard_ms: int, text: str) -> None:
        self.asked.append(("heard", item, heard_ms, text))

    def answer_tool(self, call_id: str, output: str, failed: bool = False, reply: bool = True) -> None:
        self.asked.append(("answer_tool", call_id, output, failed, reply))

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [asked[1:] for asked in self.asked if asked[0] == kind]

    # What the vendor does.

    def says(self, text: str, ms: int = 1000, item: str = "", whole: bool = True) -> str:
        """An utterance, generated at once, words and sound side by side."""
        self._items += not item
        item = item or f"item_{self._items}"
        words = text.split()
        pieces = max(1, ms // 100)
        for index in range(pieces):
            share = words[index * len(words) // pieces : (index + 1) * len(words) // pieces]
            if share:
                self.tell.on_text(item, " ".join(share) + " ")
            self.tell.on_sound(item, TONE * 5)
        if whole:
            self.tell.on_spoken(item)
        return item

    def answers(self, words: str = "", text: str = "All right, I will see to that at once.") -> str:
        """The caller's turn is over: its words, if they are known by then, and a reply."""
        self.tell.on_speech(False, "turn")
        if words:
            self.tell.on_words(words, True, "en", "turn")
        return self.says(text)

    def calls(self, name: str, **arguments: Any) -> None:
        self.tell.on_tool(ToolCall(name, arguments, f"call_{name}"))

    def _obey(self, kind: str, text: str) -> None:
        if self.obedient and hasattr(self, "tell"):
            self.says(text, 500)


async def vendors_call(stage_of: Any, vendor: Vendor, agent: Agent, **patience: Any) -> Any:
    """A stage whose call the vendor conducts; its cascade is the fallback of agents that name it."""
    stage = stage_of(replace(agent, engine="vendor"), **patience)
    stage.directory._house.engines["vendor"] = vendor
    await stage.factory.prepare(stage.agent, PHONE)
    return await stage.answer(prepare=False)


async def greeted(stage_of: Any, vendor: Vendor, agent: Agent, **patience: Any) -> Any:
    """The same, once the greeting was heard."""
    stage = await vendors_call(stage_of, vendor, agent, **patience)
    await stage.until("listening")
    return stage
