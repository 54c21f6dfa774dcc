"""All tools of the house: found by name, counted per minute, opened and closed together. Runs none itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol

from offhook.foundation.agent import Agent
from offhook.foundation.clock import Clock, SystemClock
from offhook.tools.base import Tool

_MINUTE_S = 60.0


class Source(Protocol):
    """Something that has tools, perhaps not always the same ones (an MCP server)."""

    @property
    def tools(self) -> Sequence[Tool]: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class Toolset:
    """`tools` are there always, those of `sources` come and go; `closing` lets go of what the tools hold.

    An agent's `tools` names tools, or a source of several by its name.
    """

    def __init__(
        self,
        tools: Sequence[Tool] = (),
        sources: dict[str, Source] | None = None,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
        clock: Clock | None = None,
    ) -> None:
        self._tools = tuple(tools)
        self._sources = dict(sources or {})
        self._closing = tuple(closing)
        self._clock = clock or SystemClock()
        self._runs: dict[str, deque[float]] = {}

    async def open(self) -> None:
        """Connect what has to be connected; what cannot be is tried again later."""
        await asyncio.gather(*(source.open() for source in self._sources.values()))

    async def close(self) -> None:
        closing = [source.close() for source in self._sources.values()]
        await asyncio.gather(*closing, *(close() for close in self._closing), return_exceptions=True)

    def of(self, agent: Agent) -> list[Tool]:
        """The tools that this agent may use now."""
        return [tool for owner, tool in self._all() if _may(agent, owner, tool)]

    def find(self, agent: Agent, name: str) -> Tool | None:
        """The tool of this name, if the agent may use it."""
        return next((tool for tool in self.of(agent) if tool.name == name), None)

    def names(self) -> set[str]:
        """What an agent's `tools` may name."""
        return {name for owner, tool in self._all() for name in (owner, tool.name)} | set(self._sources)

    def admit(self, tool: Tool) -> bool:
        """Whether the tool may run once more in this minute; an admitted run counts."""
        now = self._clock.now()
        runs = self._runs.setdefault(tool.name, deque())
        while runs and now - runs[0] >= _MINUTE_S:
            runs.popleft()
        if len(runs) >= tool.rules.per_minute:
            return False
        runs.append(now)
        return True

    def _all(self) -> Iterator[tuple[str, Tool]]:
        for tool in self._tools:
            yield tool.name, tool
        for name, source in self._sources.items():
            for tool in source.tools:
                yield name, tool


def _may(agent: Agent, owner: str, tool: Tool) -> bool:
    return agent.tools is None or tool.name in agent.tools or owner in agent.tools
