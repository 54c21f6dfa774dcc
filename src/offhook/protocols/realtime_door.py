"""OpenAI's GA Realtime protocol as a server: what a client sends, read into values. Builds no answers.

docs/openai-api.md says what is understood. Everything wrong becomes an EventError, which says in the
protocol's own words what was wrong with which event; the session goes on after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from offhook.foundation.errors import WireError
from offhook.protocols.base import parse_base64, parse_object
from offhook.protocols.realtime_door_items import (
    MAX_ID,
    EventError,
    Item,
    get_id,
    get_object,
    get_optional,
    get_text,
    read_item,
)

MAX_EVENT = 4 << 20
"""Bytes of one event: more than a minute of 24 kHz audio."""


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """What is to change, as it was sent (see realtime_door_session.py)."""

    session: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Append:
    """Audio in the session's input format; its end may be within a sample."""

    audio: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """What was appended is a turn."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget what was appended since the last turn."""


@dataclass(frozen=True, slots=True)
class ItemCreate:
    """`after` is the id of the item before it, "root" for the beginning, empty for the end."""

    item: Item
    after: str = ""


@dataclass(frozen=True, slots=True)
class ItemRetrieve:
    item_id: str


@dataclass(frozen=True, slots=True)
class ItemDelete:
    item_id: str


@dataclass(frozen=True, slots=True)
class ItemTruncate:
    """Of an assistant's item only the first `audio_end_ms` were heard."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class ResponseCreate:
    """The model shall speak. None is as the session says."""

    instructions: str | None = None
    text_only: bool | None = None
    tools_allowed: bool | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResponseCancel:
    """Stop the response of this id; empty is the one in progress."""

    response_id: str = ""


Event = (
    SessionUpdate
    | Append
    | Commit
    | Clear
    | ItemCreate
    | ItemRetrieve
    | ItemDelete
    | ItemTruncate
    | ResponseCreate
    | ResponseCancel
)


def read_event(raw: bytes) -> tuple[Event, str]:
    """The event in a message and its `event_id` (may be empty). Raises EventError."""
    if len(raw) > MAX_EVENT:
        raise EventError(f"an event has at most {MAX_EVENT} bytes here", "string_above_max_length")
    try:
        message = parse_object(raw, MAX_EVENT)
    except WireError as error:
        raise EventError(error.reason, "invalid_json") from None
    event_id = _event_id(message)
    try:
        return _event(message), event_id
    except EventError as error:
        error.event_id = event_id
        raise


def _event_id(message: dict[str, Any]) -> str:
    found = message.get("event_id")
    return found if isinstance(found, str) and len(found) <= MAX_ID else ""


def _event(message: dict[str, Any]) -> Event:
    kind = message.get("type")
    if kind == "input_audio_buffer.append":
        return _append(message)
    if kind == "output_audio_buffer.clear":
        raise EventError(
            "output_audio_buffer.clear is for WebRTC; on a WebSocket you own playback", param="type"
        )
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        known = ", ".join(("input_audio_buffer.append", *_READERS))
        raise EventError(f"type is not one of {known}", "invalid_value", "type")
    return read(message)


def _append(message: dict[str, Any]) -> Append:
    audio = message.get("audio")
    if not isinstance(audio, str):
        raise EventError("audio is not a string", "missing_required_parameter", "audio")
    try:
        return Append(parse_base64(audio))
    except WireError:
        raise EventError("audio is not base64", "invalid_value", "audio") from None


def _update(message: dict[str, Any]) -> SessionUpdate:
    return SessionUpdate(get_object(message, "session"))


def _create_item(message: dict[str, Any]) -> ItemCreate:
    return ItemCreate(read_item(get_object(message, "item")), get_optional(message, "previous_item_id"))


def _truncate(message: dict[str, Any]) -> ItemTruncate:
    end = message.get("audio_end_ms")
    if isinstance(end, bool) or not isinstance(end, int) or not 0 <= end < 1 << 31:
        raise EventError("audio_end_ms is not a count of milliseconds", "invalid_type", "audio_end_ms")
    if message.get("content_index") not in (0, None):
        raise EventError("content_index is not 0; items here have one part", param="content_index")
    return ItemTruncate(get_id(message, "item_id"), end)


def _create_response(message: dict[str, Any]) -> ResponseCreate:
    if message.get("response") is None:
        return ResponseCreate()
    given = get_object(message, "response")
    for name in ("input", "prompt"):
        if given.get(name):
            raise EventError(f"response.{name} is not offered here", "unsupported", f"response.{name}")
    if given.get("conversation") not in (None, "auto"):
        raise EventError(
            "responses outside of the conversation are not offered", param="response.conversation"
        )
    if given.get("tools"):
        raise EventError("tools are the session's; set them by session.update", param="response.tools")
    instructions = given.get("instructions")
    if instructions is not None:
        instructions = get_text(given, "instructions", "response.")
    allowed = False if given.get("tools") == [] else _tools_allowed(given, "response.")
    return ResponseCreate(instructions, _text_only(given), allowed, _metadata(given.get("metadata")))


def _tools_allowed(given: dict[str, Any], where: str) -> bool | None:
    choice = given.get("tool_choice")
    if choice is None:
        return None
    if choice not in ("auto", "none"):
        raise EventError(
            "tool_choice is auto or none here: no model can be made to call", param=f"{where}tool_choice"
        )
    return bool(choice == "auto")


def _text_only(given: dict[str, Any]) -> bool | None:
    modalities = given.get("output_modalities")
    if modalities is None:
        return None
    return modalities_are_text(modalities, "response.output_modalities")


def modalities_are_text(value: Any, param: str) -> bool:
    """Whether `output_modalities` is text; raises EventError for what it cannot be."""
    if value == ["text"]:
        return True
    if isinstance(value, list) and "audio" in value and set(map(str, value)) <= {"audio", "text"}:
        return False  # audio comes with its transcript
    raise EventError('output_modalities is ["audio"] or ["text"]', param=param)


def _metadata(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > 16:
        raise EventError("metadata is not an object of at most 16 strings", param="response.metadata")
    if not all(
        isinstance(text, str) and len(text) <= MAX_ID and len(name) <= 64 for name, text in value.items()
    ):
        raise EventError("metadata is not an object of at most 16 strings", param="response.metadata")
    return dict(value)


_READERS: dict[str, Callable[[dict[str, Any]], Event]] = {
    "session.update": _update,
    "input_audio_buffer.commit": lambda message: Commit(),
    "input_audio_buffer.clear": lambda message: Clear(),
    "conversation.item.create": _create_item,
    "conversation.item.retrieve": lambda message: ItemRetrieve(get_id(message, "item_id")),
    "conversation.item.delete": lambda message: ItemDelete(get_id(message, "item_id")),
    "conversation.item.truncate": _truncate,
    "response.create": _create_response,
    "response.cancel": lambda message: ResponseCancel(get_optional(message, "response_id")),
}
