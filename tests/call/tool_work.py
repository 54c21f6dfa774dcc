"""Work that tools do in tests of whole calls, and what is asked of such calls."""

from __future__ import annotations

import asyncio
from typing import Any

from offhook.foundation.events import LegKind, TranscriptFinal
from offhook.foundation.tools import Effect, ToolSpec
from offhook.speech.base import ToolCall
from offhook.tools.base import Rules, Tool, ToolContext

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = ToolCall("weather", {"city": "Lisbon"}, "w1")
REFUND = ToolCall("refund", {"city": "50 euros"})


class Work:
    """A tool's work: `answer` it gives or raises, once `gate` is open."""

    def __init__(self, answer: str | Exception = "21 degrees") -> None:
        self.answer = answer
        self.gate = asyncio.Event()
        self.gate.set()
        self.runs: list[tuple[dict[str, Any], ToolContext]] = []
        self.ended = 0

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> str:
        self.runs.append((arguments, context))
        try:
            await self.gate.wait()
        finally:
            self.ended += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def tool(self, name: str = "weather", effect: Effect = Effect.READ, **rules: Any) -> Tool:
        return Tool(ToolSpec(name, "A tool.", SCHEMA), Rules(effect, **rules), self.run)


def said(stage: Any) -> list[str]:
    return [t.text for t in stage.events(TranscriptFinal) if t.leg is LegKind.AGENT]


async def turn(stage: Any) -> None:
    await stage.say(900)
    await stage.wait(1500)
    await stage.until("listening", 20_000)
