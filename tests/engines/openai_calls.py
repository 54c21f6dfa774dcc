"""A call for the tests of the Realtime engine, over a real socket to a fake of the vendor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.engines.elevenlabs_calls import Call
from tests.fakes.openai_realtime import KEY, FakeRealtime

from offhook.audio.frame import PHONE, AudioFormat
from offhook.engines.duplex import DuplexContext
from offhook.engines.openai_realtime import OpenAiRealtimeFactory, RealtimeOptions
from offhook.foundation.agent import Agent
from offhook.foundation.clock import SystemClock
from offhook.speech.base import ToolSpec

TOOL = ToolSpec("opening_hours", "When we are open.", {"type": "object", "properties": {}})
SILENCE_MS = 100


def options(fake: FakeRealtime, **changes: Any) -> RealtimeOptions:
    said = {"key": KEY, "url": fake.url, "silence_ms": SILENCE_MS, "connect_seconds": 2.0, **changes}
    return replace(RealtimeOptions(), **said)


@asynccontextmanager
async def calling(
    fake: FakeRealtime,
    format: AudioFormat = PHONE,
    agent: Agent | None = None,
    greeting: str = "",
    text_only: bool = False,
    **changes: Any,
) -> AsyncIterator[Call]:
    """A call that is under way. It ends with the block; the fake must have found nothing wrong by then."""
    factory = OpenAiRealtimeFactory(options(fake, **changes), SystemClock())
    call = Call(format)
    context = DuplexContext(
        "call_1", agent or Agent(), format, lambda: call.history, {}, (TOOL,), text_only=text_only
    )
    engine: Any = factory.converse(context)
    call.engine = engine
    if greeting:
        engine.greet(greeting)
    call.running = asyncio.create_task(engine.run(call))
    try:
        yield call
    finally:
        call.running.cancel()
        await asyncio.gather(call.running, return_exceptions=True)
        await engine.close()
        await factory.close()
    assert fake.faults == []
