"""ElevenLabs' agent WebSocket: the client's messages, as bytes, and names of formats. No sockets, no state.

https://elevenlabs.io/docs/agents-platform/api-reference/agents-platform/websocket
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from offhook.foundation.errors import WireError
from offhook.protocols.base import compact

_FORMAT = re.compile(r"(pcm|ulaw)_(\d{4,5})\Z")
_ENCODINGS = {"pcm": "pcm16", "ulaw": "ulaw"}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_RESERVED = ("system__", "secret__")
_MAX_VALUE = 2_000

Value = str | int | float | bool
"""What a dynamic variable may hold."""


class Format(NamedTuple):
    """An announced audio format: "pcm16" (little-endian, mono) or "ulaw", and its rate in Hz."""

    encoding: str
    rate: int


@dataclass(frozen=True, slots=True)
class Overrides:
    """What takes the place of the agent's own configuration; None leaves it. The agent's owner has to allow
    each. An empty `first_message` makes the agent wait for the caller to speak first."""

    prompt: str | None = None
    first_message: str | None = None
    language: str | None = None
    voice: str | None = None
    text_only: bool = False


def audio_format(name: str) -> Format:
    """The format that a name like "pcm_16000" or "ulaw_8000" stands for. Raises WireError for another."""
    match = _FORMAT.match(name)
    if match is None:
        raise WireError("an agent uses an audio format that is not known")
    return Format(_ENCODINGS[match[1]], int(match[2]))


def language_code(tag: str) -> str:
    """A language tag as the vendor writes it: "pt-BR" is "pt-br", any other region is dropped."""
    lower = tag.lower().replace("_", "-")
    return lower if lower == "pt-br" else lower.partition("-")[0]


def variables(given: Mapping[str, Any]) -> dict[str, Value]:
    """Those of a call's variables that may become dynamic ones: plain names and values, none reserved."""
    found: dict[str, Value] = {}
    for name, value in given.items():
        if _VARIABLE.match(name) and not name.startswith(_RESERVED) and isinstance(value, str | int | float):
            found[name] = value[:_MAX_VALUE] if isinstance(value, str) else value
    return found


def initiation(overrides: Overrides, dynamic: Mapping[str, Value]) -> bytes:
    """The first message of a conversation; nothing is overridden that is not said."""
    agent: dict[str, Any] = {}
    if overrides.prompt is not None:
        agent["prompt"] = {"prompt": overrides.prompt}
    if overrides.first_message is not None:
        agent["first_message"] = overrides.first_message
    if overrides.language is not None:
        agent["language"] = overrides.language
    config: dict[str, Any] = {"agent": agent} if agent else {}
    if overrides.voice is not None:
        config["tts"] = {"voice_id": overrides.voice}
    if overrides.text_only:
        config["conversation"] = {"text_only": True}
    message: dict[str, Any] = {"type": "conversation_initiation_client_data"}
    if config:
        message["conversation_config_override"] = config
    if dynamic:
        message["dynamic_variables"] = dict(dynamic)
    return compact(message)


def audio(sound: bytes) -> bytes:
    """More of the caller's sound, in the announced input format: the one message without a type."""
    return b'{"user_audio_chunk":"' + binascii.b2a_base64(sound, newline=False) + b'"}'


def pong(event_id: int) -> bytes:
    return compact({"type": "pong", "event_id": event_id})


def user_message(text: str) -> bytes:
    """Words of the caller that were not spoken. The agent answers; what it was saying is interrupted."""
    return compact({"type": "user_message", "text": text})


def user_activity() -> bytes:
    """The caller is busy: the agent does not begin to speak for about two seconds."""
    return b'{"type":"user_activity"}'


def contextual_update(text: str) -> bytes:
    """Something that the agent shall know; it neither answers nor stops speaking."""
    return compact({"type": "contextual_update", "text": text})


def tool_result(tool_call_id: str, result: str, is_error: bool) -> bytes:
    """What a client tool came to."""
    return compact(
        {"type": "client_tool_result", "tool_call_id": tool_call_id, "result": result, "is_error": is_error}
    )


def approval(tool_call_id: str, is_approved: bool) -> bytes:
    """The answer to a tool of an MCP server that waits for approval."""
    return compact(
        {"type": "mcp_tool_approval_result", "tool_call_id": tool_call_id, "is_approved": is_approved}
    )
