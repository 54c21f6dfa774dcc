"""What a Realtime session becomes by what its client sets: every branch."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.realtime import RealtimeSessionCreateRequest

from offhook.foundation.tools import ToolSpec
from offhook.protocols.realtime_door_items import EventError
from offhook.protocols.realtime_door_session import SessionConfig, TurnDetection, WireFormat, merged

CONFIG = SessionConfig("default", "Be kind.", "heart", ("heart", "nova"))


def audio(**both: Any) -> dict[str, Any]:
    return {"audio": both}


def heard(**fields: Any) -> dict[str, Any]:
    return audio(input=fields)


def test_a_session_is_shown_as_the_sdk_knows_it() -> None:
    tools = (ToolSpec("f", "does", {"type": "object", "properties": {}}),)
    for config in (
        CONFIG,
        SessionConfig("m", "", "v", text_only=True, turns=None, transcription={"model": "x"}, tools=tools),
        SessionConfig(
            "m", "", "v", turns=TurnDetection(False, silence_ms=400, idle_ms=5_000), tools_allowed=False
        ),
    ):
        json_form = config.as_json()
        RealtimeSessionCreateRequest.model_validate({k: v for k, v in json_form.items() if k != "object"})
        assert merged(config, json_form) == config, "what was shown, sent back, changes nothing"


def test_only_what_is_present_changes() -> None:
    assert merged(CONFIG, {}) == CONFIG
    assert merged(CONFIG, {"audio": {"input": None, "output": None}, "tool_choice": None}) == CONFIG
    told = merged(CONFIG, {"instructions": "Be brief."})
    assert (told.instructions, told.told) == ("Be brief.", True)
    assert not merged(told, {"instructions": None}).told
    assert merged(told, {"instructions": ""}).instructions == ""
    wide = merged(CONFIG, heard(transcription={"model": "x", "language": "en", "delay": "low"}))
    assert wide.transcription == {"model": "x", "language": "en"}
    assert merged(wide, heard(transcription=None)).transcription is None
    assert merged(wide, heard(noise_reduction={"type": "near_field"})) == wide
    assert merged(CONFIG, {"tools": [{"type": "function", "name": "f"}]}).tools == (
        ToolSpec("f", "", {"type": "object", "properties": {}}),
    )
    assert merged(CONFIG, {"tools": None}).tools == ()
    assert not merged(CONFIG, {"tool_choice": "none"}).tools_allowed
    assert merged(CONFIG, {"output_modalities": ["text"]}).text_only


def test_formats() -> None:
    both = merged(
        CONFIG,
        audio(
            input={"format": {"type": "audio/pcmu", "rate": 8_000}}, output={"format": {"type": "audio/pcma"}}
        ),
    )
    assert (both.input, both.output) == (WireFormat.ULAW, WireFormat.ALAW)
    assert merged(both, heard(format={"type": "audio/pcm", "rate": 24_000})).input is WireFormat.PCM


@pytest.mark.parametrize(
    ("voice", "found"), [("nova", "nova"), ("marin", "heart"), ("Alloy", "heart"), ({"id": "nova"}, "nova")]
)
def test_voices(voice: Any, found: str) -> None:
    assert merged(CONFIG, audio(output={"voice": voice})).voice == found
    own = SessionConfig("m", "", "somebody", ("heart",))
    assert merged(own, audio(output={"voice": "somebody"})).voice == "somebody"


def test_turns() -> None:
    def turns(**given: Any) -> TurnDetection | None:
        return merged(CONFIG, heard(turn_detection=given)).turns

    assert merged(CONFIG, heard(turn_detection=None)).turns is None
    assert merged(CONFIG, heard(turn_detection=False)).turns is None, "as pipecat says it"
    assert turns() == TurnDetection()
    assert turns(eagerness="low") == TurnDetection(eagerness="low")
    timed = turns(type="server_vad", silence_duration_ms=300.0, idle_timeout_ms=6_000, create_response=False)
    assert timed == TurnDetection(False, silence_ms=300, idle_ms=6_000, answers=False)
    before = SessionConfig("m", "", "v", turns=timed)
    after = merged(before, heard(turn_detection={"interrupt_response": False})).turns
    assert after == TurnDetection(False, silence_ms=300, idle_ms=6_000, answers=False, interrupts=False)
    assert merged(before, heard(turn_detection={"idle_timeout_ms": None})).turns.idle_ms == 0  # type: ignore[union-attr]
    fresh = merged(
        SessionConfig("m", "", "v", turns=None), heard(turn_detection={"type": "server_vad"})
    ).turns
    assert fresh == TurnDetection(False, silence_ms=500)


@pytest.mark.parametrize(
    ("update", "param"),
    [
        ({"type": "transcription"}, "session.type"),
        ({"prompt": {"id": "p"}}, "session.prompt"),
        ({"instructions": 7}, "session.instructions"),
        ({"instructions": "x" * 65_537}, "session.instructions"),
        ({"output_modalities": []}, "session.output_modalities"),
        ({"tools": {}}, "session.tools"),
        ({"tools": [7]}, "session.tools[0]"),
        ({"tools": [{"type": "mcp"}]}, "session.tools[0].type"),
        ({"tools": [{"type": "function", "name": ""}]}, "session.tools[0].name"),
        ({"tools": [{"type": "function", "name": "f", "parameters": [1]}]}, "session.tools[0].parameters"),
        ({"tools": [{"type": "function", "name": "f"}] * 2}, "session.tools"),
        ({"tool_choice": {"type": "function", "name": "f"}}, "session.tool_choice"),
        (audio(input=7), "session.audio.input"),
        (audio(output={"voice": 7}), "session.audio.output.voice"),
        (audio(output={"voice": "nobody"}), "session.audio.output.voice"),
        (audio(output={"format": {"type": "audio/opus"}}), "session.audio.output.format.type"),
        (heard(format={"type": "audio/pcm", "rate": 16_000}), "session.audio.input.format.rate"),
        (heard(transcription={"model": 7}), "session.audio.input.transcription.model"),
        (heard(turn_detection={"type": "magic"}), "session.audio.input.turn_detection.type"),
        (heard(turn_detection={"eagerness": "wild"}), "session.audio.input.turn_detection.eagerness"),
        (heard(turn_detection={"create_response": 1}), "session.audio.input.turn_detection.create_response"),
        (
            heard(turn_detection={"idle_timeout_ms": "5"}),
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        (heard(turn_detection={"idle_timeout_ms": -5}), "session.audio.input.turn_detection.idle_timeout_ms"),
    ],
)
def test_settings_that_cannot_be(update: dict[str, Any], param: str) -> None:
    with pytest.raises(EventError) as caught:
        merged(CONFIG, update)
    assert caught.value.param == param
