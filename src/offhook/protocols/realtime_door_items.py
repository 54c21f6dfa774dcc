"""Items of a Realtime conversation as a client writes them, and what is wrong with an event. Values only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from offhook.foundation.errors import WireError

MAX_TEXT = 65_536
MAX_ID = 512
_ROLES = ("system", "user", "assistant")
_TEXTS = frozenset({"input_text", "output_text", "text"})
_SOUNDS = frozenset({"input_audio", "output_audio", "audio"})


class EventError(WireError):
    """A client event that cannot be done: `code` and `param` as OpenAI has them, `event_id` the client's."""

    def __init__(
        self, message: str, code: str = "invalid_value", param: str = "", event_id: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.event_id = event_id


@dataclass(frozen=True, slots=True)
class Words:
    """A message item; `role` is system, user or assistant."""

    role: str
    text: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function call of the past, given for the record."""

    name: str
    call_id: str
    arguments: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class CallOutput:
    """What a function call came to."""

    call_id: str
    output: str
    id: str = ""


Item = Words | FunctionCall | CallOutput


def length(item: Item) -> int:
    """The characters that an item brings."""
    if isinstance(item, Words):
        return len(item.text)
    return len(item.arguments if isinstance(item, FunctionCall) else item.output)


def read_item(item: dict[str, Any]) -> Item:
    id = get_optional(item, "id", "item.")
    match item.get("type"):
        case "message":
            role = item.get("role")
            if role not in _ROLES:
                raise EventError(f"role is not one of {', '.join(_ROLES)}", param="item.role")
            return Words(str(role), _content(item.get("content")), id)
        case "function_call":
            arguments = get_text(item, "arguments", "item.")
            call_id = get_optional(item, "call_id", "item.")
            return FunctionCall(get_id(item, "name", "item."), call_id, arguments, id)
        case "function_call_output":
            return CallOutput(get_id(item, "call_id", "item."), _output(item), id)
    raise EventError("type is not message, function_call or function_call_output", param="item.type")


def _content(content: Any) -> str:
    if not isinstance(content, list) or len(content) > 64:
        raise EventError("content is not a list of at most 64 parts", "invalid_type", "item.content")
    text = "".join(_part(part, f"item.content[{index}]") for index, part in enumerate(content))
    return get_text({"content": text}, "content", "item.")


def _part(part: Any, where: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in _TEXTS:
        return get_text(part, "text", f"{where}.")
    if kind in _SOUNDS:
        if isinstance(part.get("transcript"), str):
            return get_text(part, "transcript", f"{where}.")
        raise EventError(
            "an audio part needs its transcript; speak by input_audio_buffer.append", param=where
        )
    if kind == "input_image":
        raise EventError("images are not understood here", "unsupported", where)
    raise EventError("a part's type is not input_text, output_text or input_audio", param=f"{where}.type")


def _output(item: dict[str, Any]) -> str:
    value = item.get("output")
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    return get_text({"output": value}, "output", "item.")


def get_object(message: dict[str, Any], name: str) -> dict[str, Any]:
    value = message.get(name)
    if not isinstance(value, dict):
        raise EventError(f"{name} is not an object", "missing_required_parameter", name)
    return value


def get_text(message: dict[str, Any], name: str, where: str = "") -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise EventError(f"{name} is not a string", "invalid_type", where + name)
    if len(value) > MAX_TEXT:
        raise EventError(
            f"{name} has more than {MAX_TEXT} characters", "string_above_max_length", where + name
        )
    return value


def get_id(message: dict[str, Any], name: str, where: str = "") -> str:
    value = message.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID:
        raise EventError(
            f"{name} is not a string of 1 to {MAX_ID}", "missing_required_parameter", where + name
        )
    return value


def get_optional(message: dict[str, Any], name: str, where: str = "") -> str:
    return "" if message.get(name) in (None, "") else get_id(message, name, where)
