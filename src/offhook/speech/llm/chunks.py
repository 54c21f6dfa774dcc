"""Streamed chat-completion chunks to text and merged tool calls, within bounds. No sockets, no clocks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from offhook.foundation.errors import ProviderError
from offhook.foundation.tools import ToolCall
from offhook.speech.refusals import find_code

MAX_LINE = 1 << 18
MAX_BYTES = 4 << 20
MAX_CALLS = 8
MAX_ARGUMENTS = 16_384


@dataclass(slots=True)
class _Fragment:
    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


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


class Thoughts:
    """Takes out what models without a place of its own for it think aloud first: `<think>…</think>`."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._held: str | None = ""
        self._inside = False

    def strip(self, text: str) -> str:
        """What of this piece is to be spoken; a start that may become a thought is held back."""
        if self._held is None:
            return text
        self._held = (self._held + text).lstrip() if not self._inside else self._held + text
        if not self._inside:
            if self._OPEN.startswith(self._held):
                return ""
            self._inside = self._held.startswith(self._OPEN)
        if self._inside:
            _, closed, rest = self._held.partition(self._CLOSE)
            if not closed:
                self._held = self._held[-len(self._CLOSE) :]
                return ""
            # Another thought may follow.
            self._held, self._inside = "", False
            return self.strip(rest)
        spoken, self._held = self._held, None
        return spoken

    def rest(self) -> str:
        """What was held back and is no thought, at the end."""
        rest = "" if self._inside else self._held or ""
        self._held = None
        return rest


@dataclass(slots=True)
class Completion:
    """One streamed completion: feed it chunks; `finished` once the model said why it stopped, `declined`
    when that was that it may not answer, `cut` when its tokens were used up."""

    provider: str
    finished: bool = False
    declined: bool = False
    cut: bool = False
    _fragments: list[_Fragment] = field(default_factory=list)
    _current: dict[int, _Fragment] = field(default_factory=dict)
    _thoughts: Thoughts = field(default_factory=Thoughts)

    def feed(self, data: str) -> str:
        """The text in one event's data. Raises ProviderError for an error or garbage."""
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
            code = find_code(chunk)
            raise ProviderError(self.provider, "reported an error in its answer" + (code and f" ({code})"))
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return ""  # the chunk that tells the usage, and others' notes
        choice = choices[0]
        delta = choice.get("delta") or choice.get("message") or {}
        delta = delta if isinstance(delta, dict) else {}
        for position, call in enumerate(_list(delta.get("tool_calls"))):
            self._merge(position, call)
        text = self._thoughts.strip(_text(delta.get("content")))
        if reason := choice.get("finish_reason"):
            self.finished, self.declined = True, reason == "content_filter"
            self.cut = reason == "length"
            text += self._thoughts.rest()
        return text

    def end(self) -> str:
        """The answer is whole: the text that was held back."""
        self.finished = True
        return self._thoughts.rest()

    def _merge(self, position: int, call: Any) -> None:
        if not isinstance(call, dict):
            return
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        name, id = _text(function.get("name")), _text(call.get("id"))
        index = call.get("index")
        index = index if isinstance(index, int) else position
        fragment = self._current.get(index)
        # Some servers send whole calls, all with index 0; another id with a name of its own is another call.
        if fragment is None or (name and id and fragment.id and id != fragment.id):
            if len(self._fragments) >= MAX_CALLS:
                raise ProviderError(self.provider, "called too many tools at once")
            fragment = self._current[index] = _Fragment(index)
            self._fragments.append(fragment)
        fragment.id = fragment.id or id
        fragment.name += name if name != fragment.name else ""
        arguments = function.get("arguments")
        fragment.arguments += json.dumps(arguments) if isinstance(arguments, dict) else _text(arguments)
        if len(fragment.arguments) > MAX_ARGUMENTS or len(fragment.name) > 200:
            raise ProviderError(self.provider, "called a tool with too much")

    @property
    def calling(self) -> bool:
        """Whether any tool call has begun."""
        return bool(self._fragments)

    def calls(self) -> list[ToolCall]:
        """The tool calls in the order of their index, then of their coming."""
        named = sorted((x for x in self._fragments if x.name), key=lambda fragment: fragment.index)
        return [tool_call(fragment.name, fragment.arguments, fragment.id) for fragment in named]


def tool_call(name: str, arguments: str, id: str) -> ToolCall:
    """A call from its arguments as JSON text; what is no JSON object is told as `malformed`."""
    try:
        parsed = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict):
        return ToolCall(name, parsed, id)
    return ToolCall(name, {}, id, malformed=arguments)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
