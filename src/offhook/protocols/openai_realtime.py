"""OpenAI's Realtime protocol (GA): the client's events, as bytes. No sockets, no state.

https://platform.openai.com/docs/api-reference/realtime-client-events
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import Any

from offhook.foundation.tools import ToolSpec
from offhook.protocols.base import compact

_APPEND = b'{"type":"input_audio_buffer.append","audio":"'
PCM = "audio/pcm"
PCM_RATE = 24_000
FORMATS = {"audio/pcmu": 8_000, "audio/pcma": 8_000, PCM: PCM_RATE}
"""The audio formats of the protocol and their rates; PCM is 16 bit, little-endian, mono."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What a session is told once, before any audio. `languages` are those that the caller may speak."""

    model: str
    voice: str
    instructions: str
    format: str = "audio/pcmu"
    speed: float = 1.0
    turn_detection: str = "server_vad"
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_ms: int = 500
    eagerness: str = "auto"
    noise_reduction: str = ""
    transcription_model: str = ""
    languages: tuple[str, ...] = ()
    text_only: bool = False
    tools: tuple[ToolSpec, ...] = ()


def update(config: SessionConfig) -> bytes:
    """`session.update`. What is off is left out: off is how a session begins."""
    format = {"type": config.format, "rate": PCM_RATE} if config.format == PCM else {"type": config.format}
    hears: dict[str, Any] = {"format": format, "turn_detection": _turns(config)}
    if config.noise_reduction:
        hears["noise_reduction"] = {"type": config.noise_reduction}
    if config.transcription_model:
        hears["transcription"] = {"model": config.transcription_model}
        if len(config.languages) == 1:
            hears["transcription"]["language"] = config.languages[0]
    session = {
        "type": "realtime",
        "model": config.model,
        "instructions": config.instructions,
        "output_modalities": ["text"] if config.text_only else ["audio"],
        "audio": {
            "input": hears,
            "output": {"format": format, "voice": config.voice, "speed": config.speed},
        },
        "tools": [_function(tool) for tool in config.tools],
        "tool_choice": "auto",
    }
    return compact({"type": "session.update", "session": session})


def _turns(config: SessionConfig) -> dict[str, Any]:
    both = {"type": config.turn_detection, "create_response": True, "interrupt_response": True}
    if config.turn_detection == "semantic_vad":
        return {**both, "eagerness": config.eagerness}
    return {
        **both,
        "threshold": config.threshold,
        "prefix_padding_ms": config.prefix_padding_ms,
        "silence_duration_ms": config.silence_ms,
    }


def _function(tool: ToolSpec) -> dict[str, Any]:
    name, description = tool.name, tool.description
    return {"type": "function", "name": name, "description": description, "parameters": tool.parameters}


def append(audio: bytes) -> bytes:
    """`input_audio_buffer.append`: the one event that goes out 50 times a second."""
    return (
        b'{"type":"input_audio_buffer.append","audio":"' + binascii.b2a_base64(audio, newline=False) + b'"}'
    )


def message(role: str, text: str) -> bytes:
    """A line of the conversation, by the "user" or the "system"."""
    content = [{"type": "input_text", "text": text}]
    return compact(
        {"type": "conversation.item.create", "item": {"type": "message", "role": role, "content": content}}
    )


def tool_output(call_id: str, output: str) -> bytes:
    """What a function call came to."""
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    return compact({"type": "conversation.item.create", "item": item})


def respond(event_id: str, instructions: str = "", alone: bool = False, tools: bool = True) -> bytes:
    """`response.create`. `alone`: without the conversation so far; `tools`: whether any may be called."""
    response: dict[str, Any] = {}
    if instructions:
        response["instructions"] = instructions
    if alone:
        response["input"] = []
    if not tools:
        response["tool_choice"] = "none"
    event: dict[str, Any] = {"type": "response.create", "event_id": event_id}
    return compact({**event, "response": response} if response else event)


def cancel() -> bytes:
    """`response.cancel`: the active response, or an error that does no harm."""
    return b'{"type":"response.cancel"}'


def truncate(item: str, heard_ms: int) -> bytes:
    """Of the item so much was heard. More than was generated is an error."""
    return compact(
        {
            "type": "conversation.item.truncate",
            "item_id": item,
            "content_index": 0,
            "audio_end_ms": heard_ms,
        }
    )
