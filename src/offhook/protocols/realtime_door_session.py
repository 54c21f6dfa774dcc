"""A Realtime session's settings: what a client may set, merged as sent, shown as in effect. Values only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from offhook.foundation.tools import ToolSpec
from offhook.protocols.realtime_door import modalities_are_text
from offhook.protocols.realtime_door_items import MAX_ID, MAX_TEXT, EventError

MAX_TOOLS = 128


class WireFormat(StrEnum):
    """Audio on the wire: PCM16 at 24 kHz, or G.711 at 8 kHz."""

    PCM = "audio/pcm"
    ULAW = "audio/pcmu"
    ALAW = "audio/pcma"

    def as_json(self) -> dict[str, Any]:
        return {"type": self.value, "rate": 24_000} if self is WireFormat.PCM else {"type": self.value}


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """How turns are found. `silence_ms` 0: by the agent's patience (`semantic_vad`); `idle_ms` 0: never."""

    semantic: bool = True
    eagerness: str = "auto"
    silence_ms: int = 0
    idle_ms: int = 0
    answers: bool = True
    interrupts: bool = True

    def as_json(self) -> dict[str, Any]:
        both = {"create_response": self.answers, "interrupt_response": self.interrupts}
        if self.semantic:
            return {"type": "semantic_vad", "eagerness": self.eagerness, **both}
        return {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 480,
            "silence_duration_ms": self.silence_ms,
            "idle_timeout_ms": self.idle_ms or None,
            **both,
        }


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What is in effect. `turns` None: the client says where turns end; `transcription` None: not shown."""

    model: str
    instructions: str
    voice: str
    voices: tuple[str, ...] = ()
    told: bool = False
    """Whether the client gave instructions of its own."""
    text_only: bool = False
    input: WireFormat = WireFormat.PCM
    output: WireFormat = WireFormat.PCM
    turns: TurnDetection | None = TurnDetection()
    transcription: Mapping[str, Any] | None = None
    tools: tuple[ToolSpec, ...] = ()
    tools_allowed: bool = True

    def as_json(self) -> dict[str, Any]:
        """The `session` of session.created and session.updated, without id and times."""
        return {
            "type": "realtime",
            "object": "realtime.session",
            "model": self.model,
            "output_modalities": ["text" if self.text_only else "audio"],
            "instructions": self.instructions,
            "audio": {
                "input": {
                    "format": self.input.as_json(),
                    "noise_reduction": None,
                    "transcription": None if self.transcription is None else dict(self.transcription),
                    "turn_detection": None if self.turns is None else self.turns.as_json(),
                },
                "output": {"format": self.output.as_json(), "voice": self.voice, "speed": 1.0},
            },
            "tools": [
                {"type": "function", "name": t.name, "description": t.description, "parameters": t.parameters}
                for t in self.tools
            ],
            "tool_choice": "auto" if self.tools_allowed else "none",
            "max_output_tokens": "inf",
            "truncation": "auto",
            "tracing": None,
            "prompt": None,
            "include": None,
        }


FOREIGN_VOICES = frozenset(
    {"alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage"}
    | {"shimmer", "verse"}
)
"""OpenAI's voices, which clients name by default: here they mean the agent's own."""


def merged(config: SessionConfig, update: dict[str, Any]) -> SessionConfig:
    """`config` with what is present in a `session` object. Raises EventError; nothing has changed then.

    What tunes a vendor's own models (noise reduction, truncation, tracing, reasoning, speed, token
    limits …) is passed over: what comes back by `as_json` is what is in effect.
    """
    kind = update.get("type", "realtime")
    if kind != "realtime":
        raise EventError("only sessions of type realtime are offered", "unsupported", "session.type")
    if update.get("prompt"):
        raise EventError("stored prompts are not known here", "unsupported", "session.prompt")
    changed = config
    if "instructions" in update:
        text = _string(update["instructions"] or "", "session.instructions", MAX_TEXT)
        told = bool(text.strip()) and (config.told or text != config.instructions)
        changed = replace(changed, instructions=text, told=told)
    if update.get("output_modalities") is not None:
        text_only = modalities_are_text(update["output_modalities"], "session.output_modalities")
        changed = replace(changed, text_only=text_only)
    if "tools" in update:
        changed = replace(changed, tools=_tools(update["tools"]))
    if update.get("tool_choice") is not None:
        changed = replace(changed, tools_allowed=_tool_choice(update["tool_choice"]))
    if update.get("audio") is not None:
        changed = _audio(changed, _mapping(update["audio"], "session.audio"))
    return changed


def _audio(config: SessionConfig, audio: dict[str, Any]) -> SessionConfig:
    heard = audio.get("input")
    if heard is not None:
        config = _input(config, _mapping(heard, "session.audio.input"))
    spoken = audio.get("output")
    if spoken is not None:
        spoken = _mapping(spoken, "session.audio.output")
        if spoken.get("format") is not None:
            config = replace(config, output=_format(spoken["format"], "session.audio.output.format"))
        if spoken.get("voice") is not None:
            config = replace(config, voice=_voice(config, spoken["voice"]))
    return config


def _input(config: SessionConfig, heard: dict[str, Any]) -> SessionConfig:
    if heard.get("format") is not None:
        config = replace(config, input=_format(heard["format"], "session.audio.input.format"))
    if "transcription" in heard:
        wanted = heard["transcription"]
        if wanted is not None:
            wanted = _transcription(_mapping(wanted, "session.audio.input.transcription"))
        config = replace(config, transcription=wanted)
    if "turn_detection" in heard:
        turns = heard["turn_detection"]
        if turns is not None and turns is not False:
            turns = _turns(config.turns, _mapping(turns, "session.audio.input.turn_detection"))
        config = replace(config, turns=turns or None)
    return config


def _transcription(wanted: dict[str, Any]) -> dict[str, Any]:
    shown = {name: wanted[name] for name in ("model", "language", "prompt") if wanted.get(name) is not None}
    for name, value in shown.items():
        _string(value, f"session.audio.input.transcription.{name}", MAX_ID)
    return shown


def _turns(before: TurnDetection | None, given: dict[str, Any]) -> TurnDetection:
    where = "session.audio.input.turn_detection"
    kind = given.get("type") or (
        "server_vad" if before is not None and not before.semantic else "semantic_vad"
    )
    if kind not in ("server_vad", "semantic_vad"):
        raise EventError("type is server_vad or semantic_vad", param=f"{where}.type")
    semantic = kind == "semantic_vad"
    if before is None or before.semantic is not semantic:
        before = TurnDetection(semantic, silence_ms=0 if semantic else 500)
    eagerness = given.get("eagerness") or before.eagerness
    if eagerness not in ("low", "medium", "high", "auto"):
        raise EventError("eagerness is low, medium, high or auto", param=f"{where}.eagerness")
    return TurnDetection(
        semantic,
        eagerness,
        _count(given, "silence_duration_ms", before.silence_ms, where) if not semantic else 0,
        _count(given, "idle_timeout_ms", 0 if "idle_timeout_ms" in given else before.idle_ms, where),
        _flag(given, "create_response", before.answers, where),
        _flag(given, "interrupt_response", before.interrupts, where),
    )


def _format(value: Any, where: str) -> WireFormat:
    given = _mapping(value, where)
    try:
        format = WireFormat(str(given.get("type")))
    except ValueError:
        known = ", ".join(WireFormat)
        raise EventError(f"type is not one of {known}", "invalid_value", f"{where}.type") from None
    rate = given.get("rate")
    if rate is not None and rate != (24_000 if format is WireFormat.PCM else 8_000):
        raise EventError("audio/pcm has 24000 Hz here, G.711 has 8000", "invalid_value", f"{where}.rate")
    return format


def _voice(config: SessionConfig, value: Any) -> str:
    name = value.get("id") if isinstance(value, dict) else value
    if not isinstance(name, str):
        raise EventError("voice is not a name", "invalid_type", "session.audio.output.voice")
    if name in config.voices:
        return name
    if name.lower() in FOREIGN_VOICES or name == config.voice:
        return config.voice
    known = ", ".join(config.voices)
    raise EventError(
        f"there is no such voice; there are {known}", "invalid_value", "session.audio.output.voice"
    )


def _tools(value: Any) -> tuple[ToolSpec, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_TOOLS:
        raise EventError(f"tools is not a list of at most {MAX_TOOLS}", "invalid_type", "session.tools")
    tools = tuple(_tool(tool, f"session.tools[{index}]") for index, tool in enumerate(value))
    if len({tool.name for tool in tools}) < len(tools):
        raise EventError("two tools have the same name", param="session.tools")
    return tools


def _tool(value: Any, where: str) -> ToolSpec:
    tool = _mapping(value, where)
    if tool.get("type") != "function":
        raise EventError("only tools of type function are offered", "unsupported", f"{where}.type")
    name = _string(tool.get("name"), f"{where}.name", 64)
    if not name:
        raise EventError("a tool needs a name", "missing_required_parameter", f"{where}.name")
    description = _string(tool.get("description") or "", f"{where}.description", MAX_TEXT)
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    return ToolSpec(name, description, _mapping(parameters, f"{where}.parameters"))


def _tool_choice(value: Any) -> bool:
    if value in ("auto", "none"):
        return bool(value == "auto")
    raise EventError(
        "tool_choice is auto or none here: no model can be made to call", "unsupported", "session.tool_choice"
    )


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EventError(f"{where} is not an object", "invalid_type", where)
    return value


def _string(value: Any, where: str, limit: int) -> str:
    if not isinstance(value, str):
        raise EventError(f"{where} is not a string", "invalid_type", where)
    if len(value) > limit:
        raise EventError(f"{where} has more than {limit} characters", "string_above_max_length", where)
    return value


def _flag(given: dict[str, Any], name: str, default: bool, where: str) -> bool:
    value = given.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise EventError(f"{name} is not true or false", "invalid_type", f"{where}.{name}")
    return value


def _count(given: dict[str, Any], name: str, default: int, where: str) -> int:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise EventError(f"{name} is not a number", "invalid_type", f"{where}.{name}")
    if not 0 <= value <= 600_000:
        raise EventError(f"{name} is not from 0 to 600000", "invalid_value", f"{where}.{name}")
    return int(value)
