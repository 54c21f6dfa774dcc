"""Makes the tools that the settings name. Connects to nothing: the set is opened by the app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from pydantic import SecretStr

from offhook.foundation.agent import Agent
from offhook.foundation.clock import Clock
from offhook.foundation.errors import SettingsError
from offhook.foundation.tools import Effect, ToolSpec
from offhook.settings import Settings
from offhook.settings.tools import ToolSettings
from offhook.tools.base import SECONDS, Rules, Tool
from offhook.tools.set import Source, Toolset


def make_tools(settings: Settings, clock: Clock) -> Toolset:
    """All tools of the house. Raises SettingsError, MissingExtraError."""
    tools: list[Tool] = []
    sources: dict[str, Source] = {}
    closing: list[Callable[[], Awaitable[None]]] = []
    functions = _Functions(closing)
    for name, said in settings.tools.items():
        if said.kind == "http":
            tools.append(_http(name, said, closing))
        elif said.kind == "python":
            tools.append(functions.tool(name, said))
        else:
            sources[name] = _mcp(name, said)
    _check_agents(settings.agents.values(), {*settings.tools})
    return Toolset(tools, sources, closing, clock)


def _rules(said: ToolSettings, effect: Effect) -> Rules:
    return Rules(
        said.effect or effect, said.confirm, said.ask, said.seconds or SECONDS, said.per_call, said.per_minute
    )


def _http(name: str, said: ToolSettings, closing: list[Callable[[], Awaitable[None]]]) -> Tool:
    from offhook.tools.http import HttpService

    service = HttpService(said.template(), said.allow_private_url)
    closing.append(service.close)
    rules = _rules(said, Effect.READ if said.method == "GET" else Effect.WRITE)
    return service.tool(ToolSpec(name, said.description, said.parameters), rules)


def _mcp(name: str, said: ToolSettings) -> Source:
    from offhook.tools.mcp import McpServer, ServerAddress

    address = ServerAddress(
        said.command,
        _plain(said.env),
        said.url,
        _plain(said.headers),
        said.allow_private_url,
        said.only,
        said.effects,
    )
    return McpServer(name, address, _rules(said, Effect.WRITE))


class _Functions:
    """Python functions share one set of threads, made when the first one is named."""

    def __init__(self, closing: list[Callable[[], Awaitable[None]]]) -> None:
        self._closing = closing
        self._made: Callable[..., Tool] | None = None

    def tool(self, name: str, said: ToolSettings) -> Tool:
        from offhook.tools.python import Functions, find

        if self._made is None:
            functions = Functions()
            self._closing.append(functions.close)
            self._made = functions.tool
        made = self._made(name, find(name, said.function))
        own = made.rules
        rules = replace(_rules(said, own.effect), confirm=said.confirm or own.confirm)
        if said.seconds is None:
            rules = replace(rules, seconds=own.seconds)
        spec = replace(made.spec, description=said.description or made.spec.description)
        return replace(made, spec=spec, rules=rules)


def _check_agents(agents: Iterable[Agent], names: set[str]) -> None:
    """What an agent may use exists. Tools of MCP servers are known only once those are connected."""
    for agent in agents:
        for name in agent.tools or ():
            if name not in names and not any(name.startswith(f"{server}_") for server in names):
                known = ", ".join(sorted(names)) or "there are none"
                raise SettingsError(f"agents.{agent.name}.tools: there is no tool {name!r}; known: {known}")


def _plain(secrets: dict[str, SecretStr]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in secrets.items()}
