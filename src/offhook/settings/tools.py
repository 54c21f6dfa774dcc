"""What can be set for tools: HTTP services, MCP servers, Python functions, and under which rules they run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_core import PydanticCustomError

from offhook.foundation.tools import Effect
from offhook.settings.vendors import Section
from offhook.tools.schema import check
from offhook.tools.template import Template

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,47}\Z")
BUILT_IN = ("hang_up", "transfer", "transfer_to_human", "take_message", "book", "send_dtmf")
_EMPTY = {"type": "object", "properties": {}}

Fault = tuple[tuple[str, ...], Any, str]


class ToolSettings(Section):
    """One tool, or one MCP server with several, under `tools.<name>`."""

    kind: Literal["http", "mcp", "python"] = "http"
    description: str = ""
    """What the model is told: what it does, and when to use it."""
    effect: Effect | None = None
    """None: read for GET, what a function declares, else write."""
    confirm: str = ""
    """What it is about to do, said to the caller: "book {service} on {date}"."""
    ask: bool = True
    """Whether effects of kind write need the caller's yes; money and outbound always do."""
    seconds: float | None = Field(default=None, ge=0.5, le=60)
    per_call: int = Field(default=10, ge=1, le=1_000)
    per_minute: int = Field(default=60, ge=1, le=100_000)
    allow_private_url: bool = False

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: dict(_EMPTY))
    """A JSON schema of type object."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    fixed: dict[str, str] = Field(default_factory=dict)
    """Arguments that the model neither sees nor sets; `{call.caller}` is the caller's number."""
    form: bool = False

    command: list[str] = Field(default_factory=list)
    """The MCP server's program, instead of a `url`."""
    env: dict[str, SecretStr] = Field(default_factory=dict)
    only: list[str] = Field(default_factory=list)
    """The MCP server's tools that may be used; empty is all."""
    effects: dict[str, Effect] = Field(default_factory=dict)
    """What each of the MCP server's tools does; those not named are of kind write."""

    function: str = ""
    """A Python function as "package.module:function"; empty is the installed entry point of this name."""

    def template(self) -> Template:
        """What an HTTP tool sends."""
        headers = {name: secret.get_secret_value() for name, secret in self.headers.items()}
        return Template(self.url, self.method, headers, self.fixed, self.form)


def check_tools(tools: Mapping[str, ToolSettings]) -> None:
    """Raise a PydanticCustomError of type `setting` for the first fault found."""
    for name, tool in tools.items():
        for path, value, allowed in _faults(name, tool):
            context = {"path": (name, *path), "value": value, "allowed": allowed}
            raise PydanticCustomError("setting", "{allowed}", context)


def _faults(name: str, tool: ToolSettings) -> Iterator[Fault]:
    if not _NAME.match(name):
        yield (), name, "tool names of letters, digits, - and _"
    if name in BUILT_IN:
        yield (), name, "another name: this tool is built in"
    if tool.kind == "http":
        yield from _http_faults(tool)
    elif tool.kind == "mcp" and bool(tool.command) == bool(tool.url):
        yield ("command",), tool.command, "a command to run, or else a url"
    elif tool.kind == "mcp" and tool.url and (allowed := Template(tool.url).fault(set())):
        yield ("url",), tool.url, allowed
    elif tool.kind == "python" and tool.function and tool.function.count(":") != 1:
        yield ("function",), tool.function, "package.module:function"


def _http_faults(tool: ToolSettings) -> Iterator[Fault]:
    if allowed := check(tool.parameters):
        yield ("parameters",), tool.parameters, allowed
    elif allowed := tool.template().fault(set(tool.parameters.get("properties", {}))):
        yield ("url",), tool.url, allowed
    if not tool.description.strip():
        yield ("description",), tool.description, "what it does, for the model"
