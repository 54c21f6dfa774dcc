"""ElevenLabs' agent WebSocket: the server's events, read into values. No sockets, no state.

Which of them are sent is set on the agent. What is not read here needs no action in a call: reasoning, rich
content, typing, tools that the vendor runs itself, usage, and whatever may be added.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from offhook.foundation.tools import ToolCall
from offhook.protocols.base import (
    clean,
    counter,
    number,
    parse_base64,
    parse_object,
    section,
    string,
)
from offhook.protocols.elevenlabs import Format, audio_format

MAX_MESSAGE = 4 << 20
_ID = 256
_TEXT = 1 << 18
_MALFORMED = 2_000


@dataclass(frozen=True, slots=True)
class Begun:
    """The conversation is up. `output` is what the agent speaks, `input` what it hears."""

    conversation_id: str
    output: Format
    input: Format


@dataclass(frozen=True, slots=True)
class Sound:
    """More of the agent's speech; `chars` are the characters that it speaks, where the vendor says so."""

    event_id: int
    audio: bytes
    chars: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """All the words of an utterance; comes with its first sound."""

    event_id: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyPart:
    """Some of the words of an utterance, ahead of its Reply. `kind` is "start", "delta" or "stop"."""

    event_id: int
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Correction:
    """After an interruption: what the agent believes that the caller heard of its words."""

    event_id: int
    original: str
    corrected: str


@dataclass(frozen=True, slots=True)
class Words:
    """The caller's words, so far or (`final`) all of them."""

    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller talks over the agent: sound with this id or a lower one is not to be played."""

    event_id: int


@dataclass(frozen=True, slots=True)
class Ping:
    event_id: int


@dataclass(frozen=True, slots=True)
class ToolWanted:
    """The agent wants one of the client's tools called."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class ApprovalWanted:
    """A tool of an MCP server waits for approval."""

    tool_call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Score:
    """How likely it is, from 0 to 1, that the caller speaks just now."""

    value: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something went wrong that does not end the conversation, in a few words of ours."""

    what: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The conversation cannot go on; a close follows. `kind` is the vendor's error type, or empty."""

    code: int
    kind: str
    text: str


ServerEvent = (
    Begun
    | Sound
    | Reply
    | ReplyPart
    | Correction
    | Words
    | Interrupted
    | Ping
    | ToolWanted
    | ApprovalWanted
    | Score
    | Trouble
    | Failure
)


def parse(raw: bytes) -> ServerEvent | None:
    """Read one server event; None for one that needs no action. Raises WireError."""
    message = parse_object(raw, MAX_MESSAGE)
    read = _READ.get(string(message, "type", _ID))
    return None if read is None else read(message)


def _begun(message: dict[str, Any]) -> Begun:
    event = section(message, "conversation_initiation_metadata_event")
    return Begun(
        string(event, "conversation_id", _ID),
        audio_format(string(event, "agent_output_audio_format", 64)),
        audio_format(string(event, "user_input_audio_format", 64)),
    )


def _sound(message: dict[str, Any]) -> Sound:
    event = section(message, "audio_event")
    sound = parse_base64(string(event, "audio_base_64", MAX_MESSAGE))
    alignment = event.get("alignment")
    chars = alignment.get("chars") if isinstance(alignment, dict) else None
    spoken = "".join(char for char in chars if isinstance(char, str)) if isinstance(chars, list) else ""
    return Sound(counter(event, "event_id"), sound, spoken)


def _reply(message: dict[str, Any]) -> Reply:
    event = section(message, "agent_response_event")
    return Reply(counter(event, "event_id", 0), string(event, "agent_response", _TEXT).strip())


def _part(message: dict[str, Any]) -> ReplyPart:
    part = section(message, "text_response_part")
    kind = string(part, "type", _ID, "delta")
    kind = kind if kind in ("start", "stop") else "delta"
    return ReplyPart(counter(part, "event_id", 0), string(part, "text", _TEXT, ""), kind)


def _correction(message: dict[str, Any]) -> Correction:
    event = section(message, "agent_response_correction_event")
    return Correction(
        counter(event, "event_id", 0),
        string(event, "original_agent_response", _TEXT).strip(),
        string(event, "corrected_agent_response", _TEXT).strip(),
    )


def _final_words(message: dict[str, Any]) -> Words:
    event = section(message, "user_transcription_event")
    return Words(string(event, "user_transcript", _TEXT).strip(), True)


def _partial_words(message: dict[str, Any]) -> Words:
    event = section(message, "tentative_user_transcription_event")
    return Words(string(event, "user_transcript", _TEXT).strip(), False)


def _tool(message: dict[str, Any]) -> ToolWanted:
    call = section(message, "client_tool_call")
    given = call.get("parameters")
    name, identity = string(call, "tool_name", _ID), string(call, "tool_call_id", _ID)
    if given is None or isinstance(given, dict):
        return ToolWanted(ToolCall(name, given or {}, identity))
    return ToolWanted(ToolCall(name, {}, identity, malformed=json.dumps(given)[:_MALFORMED]))


def _mcp_call(message: dict[str, Any]) -> ApprovalWanted | None:
    call = section(message, "mcp_tool_call")
    if call.get("state") != "awaiting_approval":
        return None
    return ApprovalWanted(string(call, "tool_call_id", _ID), clean(string(call, "tool_name", _ID, "")))


def _mcp_status(message: dict[str, Any]) -> Trouble | None:
    found = section(message, "mcp_connection_status").get("integrations")
    lost = [
        integration
        for integration in (found if isinstance(found, list) else [])
        if isinstance(integration, dict) and integration.get("is_connected") is False
    ]
    return Trouble("has no connection to a tool server") if lost else None


def _failure(message: dict[str, Any]) -> Failure:
    """The documented form, or the flat one that comes when a quota is spent."""
    event = message.get("error_event")
    event = event if isinstance(event, dict) else message
    code = event.get("code")
    words = [event.get("message"), event.get("reason")]
    text = " ".join(word for word in words if isinstance(word, str))
    kind = event.get("error_type")
    return Failure(
        code if isinstance(code, int) else 0, kind[:_ID] if isinstance(kind, str) else "", clean(text[:_TEXT])
    )


_READ: dict[str, Callable[[dict[str, Any]], ServerEvent | None]] = {
    "conversation_initiation_metadata": _begun,
    "audio": _sound,
    "agent_response": _reply,
    "agent_chat_response_part": _part,
    "agent_response_correction": _correction,
    "user_transcript": _final_words,
    "tentative_user_transcript": _partial_words,
    "interruption": lambda m: Interrupted(counter(section(m, "interruption_event"), "event_id")),
    "ping": lambda m: Ping(counter(section(m, "ping_event"), "event_id")),
    "client_tool_call": _tool,
    "mcp_tool_call": _mcp_call,
    "mcp_connection_status": _mcp_status,
    "vad_score": lambda m: Score(number(section(m, "vad_score_event"), "vad_score", 0.0)),
    "guardrail_triggered": lambda m: Trouble("stopped itself: a guardrail was triggered"),
    "error": _failure,
}
