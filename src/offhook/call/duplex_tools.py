"""Tools that a speech-to-speech vendor's model calls: run in tasks of the call, answered to the vendor.

What a tool may do, and whether the caller has to agree, is the toolbox's to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from offhook.call.speaking import Spawn
from offhook.call.tools.box import Toolbox
from offhook.call.tools.builtin import Outcome
from offhook.engines.duplex import DuplexEngine
from offhook.foundation.tools import Effect, ToolCall

WORDS_S = 1.5
"""So long a tool waits for the words of the last turn, where a "yes" may be among them."""


class DuplexTools:
    """`known()` says whether the words of all the caller's turns are known; `on_outcome` is told what each
    call came to, before the vendor is."""

    def __init__(
        self,
        toolbox: Toolbox,
        engine: DuplexEngine,
        spawn: Spawn,
        known: Callable[[], bool],
        on_outcome: Callable[[ToolCall, Outcome], None],
    ) -> None:
        self._toolbox = toolbox
        toolbox.model_asks = True
        self._engine = engine
        self._spawn = spawn
        self._known = known
        self._on_outcome = on_outcome
        self._news = asyncio.Event()
        self.running = 0

    def called(self, call: ToolCall, language: str) -> None:
        """The model wants this."""
        self.running += 1
        self._spawn(self._run(call, language), "tool")

    def heard(self, text: str, began_ms: float) -> None:
        """The caller's words, of a turn that began then; they may settle what was asked."""
        self._news.set()
        self._toolbox.heard(text, began_ms)  # a call that was agreed to is the model's to make again

    def cut(self, heard: str) -> None:
        """The agent was interrupted: of what it said this was heard."""
        self._toolbox.cut(heard)

    def put(self) -> None:
        """The agent said something that the caller heard: by then it has asked what it was to ask."""
        self._toolbox.put()

    def forget(self) -> None:
        """Something else was said to the caller, or a human has the call: no question waits any more."""
        self._toolbox.forget()

    async def _run(self, call: ToolCall, language: str) -> None:
        try:
            if self._toolbox.heeds_words and self._toolbox.effect(call) is not Effect.CALL:
                await self._words()
            outcome = await self._toolbox.run(call, language)
        finally:
            self.running -= 1
        self._on_outcome(call, outcome)
        text = f"{outcome.text} Say so: {outcome.line}" if outcome.line and outcome.failed else outcome.text
        self._engine.answer_tool(call.id, text, outcome.failed, reply=outcome.ends is None)

    async def _words(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(WORDS_S):
                while not self._known():
                    self._news.clear()
                    await self._news.wait()
