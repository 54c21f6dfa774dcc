"""Server-sent chat-completion chunks to text and merged tool calls, within bounds. No sockets, no clocks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from offhook.foundation.errors import ProviderError
from offhook.speech.base import ToolCall

MAX_LINE = 1 << 18
MAX_BYTES = 4 << 20
MAX_CALLS = 8
MAX_ARGUMENTS = 16_384


@dataclass(slots=True)
class _Fragment:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class BadArguments:
    """A tool call whose arguments are no JSON object; `raw` is what came."""

    id: str
    name: str
    raw: str


class Events:
    """Splits a byte stream into the data of server-sent events."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._buffer = b""
        self._total = 0

    def feed(self, data: bytes) -> list[str]:
        """The data of the events that `data` completes. Raises ProviderError when a bound is passed."""
        self._total += len(data)
        self._buffer += data
        *lines, self._buffer = self._buffer.replace(b"\r\n", b"\n").split(b"\n")
        if self._total > MAX_BYTES or len(self._buffer) > MAX_LINE or any(len(x) > MAX_LINE for x in lines):
            raise ProviderError(self._provider, "answered with more than it may")
        return [line[5:].strip().decode("utf-8", "replace") for line in lines if line.startswith(b"data:")]


@dataclass(slots=True)
class Completion:
    """One streamed completion: feed it chunks; `finished` once the model said why it stopped."""

    provider: str
    finished: bool = False
    _fragments: dict[int, _Fragment] = field(default_factory=dict)

    def feed(self, data: str) -> str:
        """The text in one event's data. Raises ProviderError for an error or garbage."""
        if data == "[DONE]":
            self.finished = True
            return ""
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ProviderError(self.provider, "answered with something that is not JSON") from error
        return self.take(chunk)

    def take(self, chunk: Any) -> str:
        """The text in one chunk (or in a whole completion, from servers that do not stream)."""
        if not isinstance(chunk, dict):
            raise ProviderError(self.provider, "answered with something that is not a completion")
        if chunk.get("error"):
            raise ProviderError(self.provider, "reported an error in its answer")
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return ""
        choice = choices[0]
        self.finished = self.finished or bool(choice.get("finish_reason"))
        delta = choice.get("delta") or choice.get("message") or {}
        if not isinstance(delta, dict):
            return ""
        for position, call in enumerate(_list(delta.get("tool_calls"))):
            self._merge(position, call)
        text = delta.get("content")
        return text if isinstance(text, str) else ""

    def _merge(self, position: int, call: Any) -> None:
        if not isinstance(call, dict):
            return
        index = call.get("index")
        index = index if isinstance(index, int) else position
        if index not in self._fragments and len(self._fragments) >= MAX_CALLS:
            raise ProviderError(self.provider, "called too many tools at once")
        fragment = self._fragments.setdefault(index, _Fragment())
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        fragment.id = fragment.id or _text(call.get("id"))
        fragment.name += _text(function.get("name"))
        fragment.arguments += _text(function.get("arguments"))
        if len(fragment.arguments) > MAX_ARGUMENTS or len(fragment.name) > 200:
            raise ProviderError(self.provider, "called a tool with too much")

    @property
    def calling(self) -> bool:
        """Whether any tool call has begun."""
        return bool(self._fragments)

    def calls(self) -> list[ToolCall | BadArguments]:
        """The tool calls, in the order of their index."""
        out: list[ToolCall | BadArguments] = []
        for _, fragment in sorted(self._fragments.items()):
            if not fragment.name:
                continue
            try:
                arguments = json.loads(fragment.arguments or "{}")
            except (ValueError, RecursionError):
                arguments = None
            if isinstance(arguments, dict):
                out.append(ToolCall(fragment.name, arguments, fragment.id))
            else:
                out.append(BadArguments(fragment.id, fragment.name, fragment.arguments))
        return out


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
