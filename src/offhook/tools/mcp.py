"""MCP servers whose tools an agent may use, over stdio or streamable HTTP, by the official SDK (extra `mcp`).

A server that is down is asked again later; meanwhile its tools fail with a reason. What a server says about
its own tools (that they only read, say) is not believed: the settings say what each may do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from offhook.foundation.errors import MissingExtraError, RefusedError
from offhook.foundation.tools import Effect, ToolSpec
from offhook.tools.base import Rules, Tool, ToolContext, ToolError
from offhook.tools.outward import resolve
from offhook.tools.schema import check

if TYPE_CHECKING:
    from mcp.client import Client

OPEN_S = 10.0
CLOSE_S = 5.0
RETRY_S = (1.0, 5.0, 30.0)
MAX_TOOLS = 64
_NAME = re.compile(r"[^A-Za-z0-9_-]")
_MOST_DESCRIPTION = 1_000
_LONGEST_REASON = 200
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where an MCP server is: a `command` to run, or a `url`. `only` names the tools that may be used (empty:
    all); `effects` what each does, those not named count as WRITE."""

    command: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    allow_private: bool = False
    only: Sequence[str] = ()
    effects: Mapping[str, Effect] = field(default_factory=dict)


class McpServer:
    """One server: `tools` are those it has now, named `<server>_<tool>`."""

    def __init__(self, name: str, address: ServerAddress, rules: Rules) -> None:
        """Raises MissingExtraError."""
        try:
            import mcp.client  # noqa: F401
        except ImportError:
            raise MissingExtraError(f"tools.{name}", "mcp") from None
        self._name = name
        self._address = address
        self._rules = rules
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._lost = asyncio.Event()
        self.tools: tuple[Tool, ...] = ()

    async def open(self) -> None:
        """Connect, and stay connected until `close`; returns when the first try is over."""
        self._task = asyncio.create_task(self._stay(), name=f"mcp:{self._name}")
        await self._tried.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CLOSE_S)

    async def _stay(self) -> None:
        tries = 0
        while True:
            try:
                async with self._connected() as client:
                    tries = 0
                    self._client = client
                    self._tried.set()
                    _log.info("an MCP server is connected", server=self._name, tools=len(self.tools))
                    await self._lost.wait()
            except Exception as error:
                _log.warning("an MCP server cannot be used", server=self._name, error=_reason(error))
            self._client = None
            self._tried.set()
            await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Client, None]:
        from mcp.client import Client

        self._lost.clear()
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(OPEN_S):
                transport = await self._transport(stack)
                client = await stack.enter_async_context(Client(transport, read_timeout_seconds=60.0))
                self.tools = await self._list(client)
            yield client

    async def _transport(self, stack: AsyncExitStack) -> Any:
        address = self._address
        if address.command:
            from mcp.client.stdio import StdioServerParameters, stdio_client

            # It would write a traceback for every line that a server prints besides the protocol.
            logging.getLogger("mcp.client.stdio").setLevel(logging.CRITICAL)
            quiet = stack.enter_context(open(os.devnull, "w"))  # noqa: ASYNC230, SIM115
            command, *args = address.command
            return stdio_client(StdioServerParameters(command=command, args=args, env={**address.env}), quiet)
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        http = httpx2.AsyncClient(
            transport=_pinned(address.allow_private), headers={**address.headers}, timeout=60.0
        )
        await stack.enter_async_context(http)
        return streamable_http_client(address.url, http_client=http)

    async def _list(self, client: Client) -> tuple[Tool, ...]:
        found: list[Tool] = []
        cursor: str | None = None
        for _ in range(MAX_TOOLS):
            page = await client.list_tools(cursor=cursor)
            found.extend(filter(None, map(self._tool, page.tools)))
            cursor = page.next_cursor
            if cursor is None or len(found) >= MAX_TOOLS:
                break
        return tuple(found[:MAX_TOOLS])

    def _tool(self, theirs: Any) -> Tool | None:
        if self._address.only and theirs.name not in self._address.only:
            return None
        if reason := check(theirs.input_schema):
            _log.warning(
                "a tool of an MCP server cannot be used", server=self._name, tool=theirs.name, reason=reason
            )
            return None
        name = _NAME.sub("_", f"{self._name}_{theirs.name}")[:64]
        description = (theirs.description or theirs.name)[:_MOST_DESCRIPTION]
        rules = replace(self._rules, effect=self._address.effects.get(theirs.name, self._rules.effect))
        return Tool(ToolSpec(name, description, theirs.input_schema), rules, partial(self._run, theirs.name))

    async def _run(self, name: str, arguments: dict[str, Any], context: ToolContext) -> str:
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED

        client = self._client
        if client is None:
            raise ToolError("the service is not connected now")
        try:
            result = await client.call_tool(name, arguments)
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                self._lost.set()
                raise ToolError("the service was lost") from None
            raise ToolError(f"the service refused: {str(error)[:200]}") from None
        except Exception as error:  # a transport's own kinds: the connection is made anew
            self._lost.set()
            _log.warning("an MCP server was lost", server=self._name, error=type(error).__name__)
            raise ToolError("the service was lost") from None
        text = "\n".join(_text(block) for block in result.content)
        if result.is_error:
            raise ToolError(text[:500] or "the service failed")
        return text or "done"


def _text(block: Any) -> str:
    return block.text if getattr(block, "type", "") == "text" else f"[{getattr(block, 'type', 'something')}]"


def _reason(error: BaseException) -> str:
    """What kind of error; its words too where they are of this machine, and not the server's."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    kind = type(error).__name__
    ours = isinstance(error, OSError) or kind == "ConnectError"
    return f"{kind}: {error}"[:_LONGEST_REASON] if ours and str(error) else kind


def _pinned(allow_private: bool) -> Any:
    """The SDK's HTTP library with the rule of `outward.PinnedTransport`."""
    import httpx2

    class Pinned(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: Any) -> Any:
            url = request.url
            port = url.port or (443 if url.scheme == "https" else 80)
            with contextlib.suppress(KeyError):
                del request.headers["accept-encoding"]
            try:
                address = await resolve(url.host, port, allow_private)
            except RefusedError as error:
                raise httpx2.ConnectError(f"{error.reason}: allow_private_url is not set") from None
            except ConnectionError as error:
                raise httpx2.ConnectError(str(error)) from None
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            request.url = url.copy_with(host=address)
            return await super().handle_async_request(request)

    return Pinned(trust_env=False)
