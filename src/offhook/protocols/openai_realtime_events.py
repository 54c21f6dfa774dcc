"""OpenAI's Realtime protocol (GA): the server's events, read into values. No sockets, no state.

What a server says beyond what is read here is ignored: third-party servers send less than OpenAI, and OpenAI
sends more every few months. https://platform.openai.com/docs/api-reference/realtime-server-events
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from offhook.foundation.errors import WireError
from offhook.foundation.tools import ToolCall
from offhook.protocols.base import parse_base64, parse_object, section, string
from offhook.protocols.openai_realtime import FORMATS, PCM, PCM_RATE

MAX_MESSAGE = 4 << 20
_ID = 256
_TEXT = 1 << 18


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """The server is there; always first."""


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """The session is configured. Formats are as in FORMATS, or empty where the server does not say."""

    model: str
    voice: str
    input_format: str
    output_format: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller speaks; a response under way is cancelled by the server."""

    item: str


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    item: str


@dataclass(frozen=True, slots=True)
class Committed:
    """The caller's turn is over; a response follows."""

    item: str


@dataclass(frozen=True, slots=True)
class Words:
    """More of the caller's words, or (`final`) all of them; final and empty when transcription failed."""

    item: str
    text: str
    final: bool
    language: str = ""


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    response: str


@dataclass(frozen=True, slots=True)
class Sound:
    """More of an utterance, in the session's output format. A sample may be split over two of them."""

    response: str
    item: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """More of the words of an utterance, or (`final`) all of them."""

    response: str
    item: str
    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class ItemDone:
    """An output item is complete: an utterance, or a function call."""

    response: str
    item: str
    tool: ToolCall | None = None


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """`status` is completed, cancelled, incomplete or failed; `code` says more about the latter two."""

    response: str
    status: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class RateLimit:
    name: str
    limit: float
    remaining: float
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class RateLimits:
    limits: tuple[RateLimit, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error event; `event_id` is that of our event that caused it, where the server knows."""

    code: str
    message: str
    event_id: str


ServerEvent = (
    SessionCreated
    | SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | Committed
    | Words
    | ResponseCreated
    | Sound
    | Text
    | ItemDone
    | ResponseDone
    | RateLimits
    | Failure
)


def parse(raw: bytes) -> ServerEvent | None:
    """Read one server event; None for one that needs no action. Raises WireError."""
    event = parse_object(raw, MAX_MESSAGE)
    read = _READ.get(string(event, "type", _ID))
    return None if read is None else read(event)


def _item(event: dict[str, Any]) -> str:
    return string(event, "item_id", _ID)


def _response(event: dict[str, Any]) -> str:
    return string(event, "response_id", _ID, "")


def _inner(event: Any, *names: str) -> Any:
    """What lies below these names, or None where one of them is missing."""
    value: Any = event
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _known(value: Any) -> str:
    return value[:_ID] if isinstance(value, str) else ""


def _session_updated(event: dict[str, Any]) -> SessionUpdated:
    session = section(event, "session")
    return SessionUpdated(
        _known(session.get("model")),
        _known(_inner(session, "audio", "output", "voice")),
        _format(_inner(session, "audio", "input", "format")),
        _format(_inner(session, "audio", "output", "format")),
    )


def _format(value: Any) -> str:
    kind = _known(_inner(value, "type"))
    if kind == PCM and _inner(value, "rate") not in (None, PCM_RATE):
        raise WireError(f"a server uses {PCM} at another rate than {PCM_RATE} Hz")
    if kind and kind not in FORMATS:
        raise WireError("a server uses an unknown audio format")
    return kind


def _words(event: dict[str, Any]) -> Words:
    text = string(event, "transcript", _TEXT, "")
    found = event.get("languages")
    codes = [_known(_inner(entry, "code")) for entry in found] if isinstance(found, list) else []
    return Words(_item(event), text, True, codes[0] if len(codes) == 1 else "")


def _item_done(event: dict[str, Any]) -> ItemDone:
    item = section(event, "item")
    identity = string(item, "id", _ID, "")
    if item.get("type") != "function_call" or (item.get("status") or "completed") != "completed":
        return ItemDone(_response(event), identity)
    raw = string(item, "arguments", _TEXT, "")
    name, call_id = string(item, "name", _ID), string(item, "call_id", _ID)
    arguments, malformed = _arguments(raw)
    return ItemDone(_response(event), identity, ToolCall(name, arguments, call_id, malformed))


def _arguments(raw: str) -> tuple[dict[str, Any], str]:
    try:
        return (parse_object(raw, _TEXT) if raw.strip() else {}), ""
    except WireError:
        return {}, raw[:2_000]


def _response_done(event: dict[str, Any]) -> ResponseDone:
    response = section(event, "response")
    details = response.get("status_details")
    code = _known(_inner(details, "error", "code")) or _known(_inner(details, "error", "type"))
    return ResponseDone(
        string(response, "id", _ID, ""),
        _known(response.get("status")) or "completed",
        code or _known(_inner(details, "reason")),
    )


def _rate_limits(event: dict[str, Any]) -> RateLimits:
    found = event.get("rate_limits")
    return RateLimits(
        tuple(
            RateLimit(
                _known(entry.get("name")),
                _number(entry.get("limit")),
                _number(entry.get("remaining")),
                _number(entry.get("reset_seconds")),
            )
            for entry in (found if isinstance(found, list) else [])
            if isinstance(entry, dict)
        )
    )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _failure(event: dict[str, Any]) -> Failure:
    error = section(event, "error")
    code = _known(error.get("code")) or _known(error.get("type"))
    return Failure(code, _known(error.get("message")), _known(error.get("event_id")))


_READ: dict[str, Callable[[dict[str, Any]], ServerEvent]] = {
    "session.created": lambda e: SessionCreated(),
    "session.updated": _session_updated,
    "input_audio_buffer.speech_started": lambda e: SpeechStarted(_item(e)),
    "input_audio_buffer.speech_stopped": lambda e: SpeechStopped(_item(e)),
    "input_audio_buffer.committed": lambda e: Committed(_item(e)),
    "conversation.item.input_audio_transcription.delta": lambda e: Words(
        _item(e), string(e, "delta", _TEXT, ""), False
    ),
    "conversation.item.input_audio_transcription.completed": _words,
    "conversation.item.input_audio_transcription.failed": lambda e: Words(_item(e), "", True),
    "response.created": lambda e: ResponseCreated(string(section(e, "response"), "id", _ID)),
    "response.output_audio.delta": lambda e: Sound(
        _response(e), _item(e), parse_base64(string(e, "delta", MAX_MESSAGE))
    ),
    "response.output_audio_transcript.delta": lambda e: Text(
        _response(e), _item(e), string(e, "delta", _TEXT), False
    ),
    "response.output_audio_transcript.done": lambda e: Text(
        _response(e), _item(e), string(e, "transcript", _TEXT, ""), True
    ),
    "response.output_text.delta": lambda e: Text(_response(e), _item(e), string(e, "delta", _TEXT), False),
    "response.output_text.done": lambda e: Text(_response(e), _item(e), string(e, "text", _TEXT, ""), True),
    "response.output_item.done": _item_done,
    "response.done": _response_done,
    "rate_limits.updated": _rate_limits,
    "error": _failure,
}
