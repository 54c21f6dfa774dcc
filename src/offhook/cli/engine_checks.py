"""Whether vendors' own agents and models can be reached, and the tools be had. Says nothing of speech."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from offhook.cli.checks import Check, Mark
from offhook.engines.elevenlabs import ElevenLabsFactory
from offhook.engines.openai_realtime import OpenAiRealtimeFactory
from offhook.foundation.agent import Agent
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import OffhookError
from offhook.providers import make_engines
from offhook.providers.tools import make_tools
from offhook.settings import Settings
from offhook.settings.keys import engines, missing_keys

_DEADLINE_S = 8.0
_VENDORS = {"openai-realtime": "openai", "elevenlabs": "elevenlabs"}


def check_engines(settings: Settings, online: bool = False) -> Iterator[Check]:
    """One line for each setting that names a vendor's engine. `online` begins a session without audio, or
    asks for an agent's address: both cost nothing."""
    missing = {(path, name): advice for path, name, advice in missing_keys(settings)}
    seen: set[tuple[str, str]] = set()
    for path, name, agent in engines(settings):
        setting = ".".join(path)
        said = settings.elevenlabs.agents.get(agent, "") if name == "elevenlabs" else ""
        if name not in _VENDORS or (setting, said) in seen:
            continue
        seen.add((setting, said))
        where = f"{name} at {urlsplit(getattr(settings, _VENDORS[name]).url).netloc}"
        if advice := missing.get((path, name)):
            yield Check(setting, Mark.WRONG, f"{name} lacks what it needs", advice)
        elif name == "elevenlabs" and not settings.elevenlabs.private_agent:
            yield Check(setting, Mark.GOOD, f"{where} (a public agent is not called)")
        elif online:
            yield asyncio.run(called(setting, name, where, settings, settings.agents[agent]))
        else:
            yield Check(setting, Mark.GOOD, f"{where} (not called; --online does)")


async def called(setting: str, name: str, where: str, settings: Settings, agent: Agent) -> Check:
    """One line for an engine that is asked whether it would serve this agent."""
    began = time.monotonic()
    advice = "check its key, address, model and agent"
    try:
        await _probe(name, settings, agent)
    except OffhookError as error:
        return Check(setting, Mark.WRONG, f"{where}: {error.reason}", advice)
    except TimeoutError:
        return Check(setting, Mark.WRONG, f"{where} does not answer", "check its address")
    return Check(setting, Mark.GOOD, f"{where} is well, in {(time.monotonic() - began) * 1000:.0f} ms")


async def _probe(name: str, settings: Settings, agent: Agent) -> None:
    """Raises OffhookError, TimeoutError."""
    alone = settings.model_copy(update={"engine": name, "agents": {}})
    factory = make_engines(alone, SystemClock())[name]
    assert isinstance(factory, OpenAiRealtimeFactory | ElevenLabsFactory)
    try:
        async with asyncio.timeout(_DEADLINE_S):
            await factory.probe(agent)
    finally:
        await factory.close()


def check_tools(settings: Settings) -> Iterator[Check]:
    """Whether the start could make the tools; none is run, and no server is asked."""
    if not settings.tools and not any(agent.tools for agent in settings.agents.values()):
        return
    try:
        made = make_tools(settings, SystemClock())
    except OffhookError as error:
        yield Check("tools", Mark.WRONG, error.reason, "correct it; the server does not start with it")
        return
    asyncio.run(made.close())
    yield Check("tools", Mark.GOOD, f"{', '.join(settings.tools)} (not run)")
