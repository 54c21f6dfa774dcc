"""Tries whether an agent can be served by an engine, before any caller finds out. Makes no call."""

from __future__ import annotations

from offhook.audio.frame import PHONE
from offhook.engines.base import CallContext, EngineFactory
from offhook.engines.duplex import DuplexContext, DuplexFactory
from offhook.foundation.agent import Agent


async def try_agent(factory: EngineFactory | DuplexFactory, agent: Agent) -> None:
    """Open and close an engine for it. Raises ProviderError: its language or voice is not known."""
    if isinstance(factory, DuplexFactory):
        await factory.converse(DuplexContext("check", agent, PHONE, tuple)).close()
    else:
        await factory.open(CallContext("check", agent, PHONE, lambda text: None)).close()
