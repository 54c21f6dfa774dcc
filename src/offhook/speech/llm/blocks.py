"""Anthropic's streamed content blocks to text and tool calls, within bounds. No sockets, no clocks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from offhook.foundation.errors import BusyError, ProviderError
from offhook.foundation.tools import ToolCall
from offhook.speech.llm.chunks import MAX_ARGUMENTS, MAX_CALLS, tool_call
from offhook.speech.refusals import find_code


@dataclass(slots=True)
class _Block:
    """A tool_use block: its input comes as JSON text, or whole at the start."""

    id: str
    name: str
    input: str = ""


@dataclass(slots=True)
class MessageAnswer:
    """Takes the events of one streamed message apart."""

    provider: str
    finished: bool = False
    declined: bool = False
    cut: bool = False
    _blocks: dict[int, _Block] = field(default_factory=dict)

    @property
    def calling(self) -> bool:
        return bool(self._blocks)

    def feed(self, data: str) -> str:
        """The text in one event's data; thinking and what is unknown is passed over. Raises ProviderError."""
        try:
            event = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ProviderError(self.provider, "answered with something that is not JSON") from error
        if not isinstance(event, dict):
            raise ProviderError(self.provider, "answered with something that is not a message")
        match event.get("type"):
            case "content_block_start":
                return self._begin(event.get("index"), event.get("content_block"))
            case "content_block_delta":
                return self._more(event.get("index"), event.get("delta"))
            case "message_delta":
                self._stop(event.get("delta"))
            case "message_stop":
                self.finished = True
            case "message":  # whole, from a server that does not stream
                self._stop(event)
                content = event.get("content")
                blocks = enumerate(content) if isinstance(content, list) else ()
                return "".join([self._begin(index, block) for index, block in blocks])
            case "error":
                raise self._error(event)
        return ""

    def end(self) -> str:
        """The answer is whole."""
        self.finished = True
        return ""

    def calls(self) -> list[ToolCall]:
        """The tool calls, in the order of their blocks."""
        return [tool_call(block.name, block.input, block.id) for _, block in sorted(self._blocks.items())]

    def _stop(self, delta: Any) -> None:
        reason = delta.get("stop_reason") if isinstance(delta, dict) else None
        self.finished, self.declined = self.finished or bool(reason), reason == "refusal"
        self.cut = reason == "max_tokens"

    def _begin(self, index: Any, block: Any) -> str:
        if not isinstance(index, int) or not isinstance(block, dict):
            return ""
        if block.get("type") == "text":
            return str(block.get("text") or "")
        if block.get("type") == "tool_use":
            if len(self._blocks) >= MAX_CALLS:
                raise ProviderError(self.provider, "called too many tools at once")
            id, name, given = (block.get(key) or "" for key in ("id", "name", "input"))
            self._blocks[index] = _Block(str(id), str(name)[:200], json.dumps(given) if given else "")
        return ""

    def _more(self, index: Any, delta: Any) -> str:
        if not isinstance(delta, dict):
            return ""
        if delta.get("type") == "text_delta":
            return str(delta.get("text") or "")
        if delta.get("type") == "input_json_delta" and (block := self._blocks.get(index)) is not None:
            block.input += str(delta.get("partial_json") or "")
            if len(block.input) > MAX_ARGUMENTS:
                raise ProviderError(self.provider, "called a tool with too much")
        return ""

    def _error(self, event: dict[str, Any]) -> ProviderError:
        code = find_code(event)
        if code in ("overloaded_error", "api_error", "rate_limit_error", "timeout_error"):
            return BusyError(self.provider, f"cannot answer now ({code})")
        return ProviderError(self.provider, "reported an error in its answer" + (code and f" ({code})"))
