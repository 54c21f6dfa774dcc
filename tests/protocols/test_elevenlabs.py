"""ElevenLabs' agent protocol: what is sent is what the official types have, what comes is read or refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.fakes.elevenlabs_shapes import WrongMessage, check, check_initiation

from offhook.foundation.errors import WireError
from offhook.foundation.tools import ToolCall
from offhook.protocols import elevenlabs as wire
from offhook.protocols import elevenlabs_events as events
from offhook.protocols.base import SizeError


def parse(kind: str, name: str = "", **fields: Any) -> events.ServerEvent | None:
    return events.parse(json.dumps({"type": kind, **({name: fields} if name else fields)}).encode())


def test_every_message_is_one_of_the_official_client() -> None:
    for raw in (
        wire.audio(b"\x01\x02"),
        wire.pong(7),
        wire.user_message("hello"),
        wire.user_activity(),
        wire.contextual_update("a note"),
        wire.tool_result("t1", "done", False),
        wire.approval("t1", True),
    ):
        check(json.loads(raw))
    assert json.loads(wire.audio(b"\x01\x02")) == {"user_audio_chunk": "AQI="}


def test_the_fake_refuses_what_the_official_client_does_not_have() -> None:
    with pytest.raises(WrongMessage):
        check({"type": "pong", "event_id": "7"})
    with pytest.raises(WrongMessage):
        check({"type": "user_audio_chunk", "user_audio_chunk": "AQI="})
    with pytest.raises(WrongMessage, match="mood"):
        check_initiation(json.loads(wire.initiation(wire.Overrides(), {})) | {"mood": 1})
    with pytest.raises(WrongMessage, match="first"):
        check_initiation({"type": "pong", "event_id": 1})
    with pytest.raises(WrongMessage, match="klingon"):
        check_initiation(json.loads(wire.initiation(wire.Overrides(language="klingon"), {})))
    with pytest.raises(WrongMessage, match="plain"):
        check_initiation(json.loads(wire.initiation(wire.Overrides(), {"a": []})))  # type: ignore[dict-item]


def test_nothing_is_overridden_that_is_not_said() -> None:
    assert json.loads(wire.initiation(wire.Overrides(), {})) == {
        "type": "conversation_initiation_client_data"
    }
    everything = wire.Overrides("Be kind.", "", "pt-br", "v1", text_only=True)
    message = json.loads(wire.initiation(everything, {"name": "Ada", "vip": True}))
    check_initiation(message)
    assert message["conversation_config_override"] == {
        "agent": {"prompt": {"prompt": "Be kind."}, "first_message": "", "language": "pt-br"},
        "tts": {"voice_id": "v1"},
        "conversation": {"text_only": True},
    }
    assert message["dynamic_variables"] == {"name": "Ada", "vip": True}


def test_formats() -> None:
    assert wire.audio_format("ulaw_8000") == ("ulaw", 8_000)
    assert wire.audio_format("pcm_44100") == wire.Format("pcm16", 44_100)
    for name in ("opus_48000", "pcm_", "pcm_123456", "pcm_16000\n", ""):
        with pytest.raises(WireError):
            wire.audio_format(name)


def test_languages() -> None:
    assert [wire.language_code(tag) for tag in ("en", "pt_BR", "de-AT", "ZH-Hans")] == [
        "en",
        "pt-br",
        "de",
        "zh",
    ]


def test_variables() -> None:
    given = {"name": "x" * 5_000, "system__time": "1", "secret__key": "2", "a b": "3", "list": [], "n": 1.5}
    assert wire.variables(given) == {"name": "x" * 2_000, "n": 1.5}


META = "conversation_initiation_metadata_event"


def test_the_beginning() -> None:
    formats = {"agent_output_audio_format": "ulaw_8000", "user_input_audio_format": "pcm_16000"}
    begun = parse("conversation_initiation_metadata", META, conversation_id="c1", **formats)
    assert begun == events.Begun("c1", wire.Format("ulaw", 8_000), wire.Format("pcm16", 16_000))
    with pytest.raises(WireError):
        parse("conversation_initiation_metadata", META, conversation_id="c1")


def test_sounds() -> None:
    sound = base64.b64encode(b"\x01\x02").decode()
    assert parse("audio", "audio_event", audio_base_64=sound, event_id=3) == events.Sound(3, b"\x01\x02")
    aligned = {"chars": ["a", "b", 1], "char_start_times_ms": [0, 1]}
    event = parse("audio", "audio_event", audio_base_64=sound, event_id="4", alignment=aligned)
    assert event == events.Sound(4, b"\x01\x02", "ab")
    for wrong in ({"chars": "ab"}, [], None):
        event = parse("audio", "audio_event", audio_base_64=sound, event_id=5, alignment=wrong)
        assert event == events.Sound(5, b"\x01\x02")
    for fields in ({"audio_base_64": "!", "event_id": 1}, {"audio_base_64": sound}, {"event_id": 1}):
        with pytest.raises(WireError):
            parse("audio", "audio_event", **fields)


def test_words() -> None:
    response = {"agent_response": " Hello. ", "event_id": 1}
    assert parse("agent_response", "agent_response_event", **response) == events.Reply(1, "Hello.")
    assert parse("agent_response", "agent_response_event", agent_response="") == events.Reply(0, "")
    for kind, read in (("start", "start"), ("delta", "delta"), ("stop", "stop"), ("new", "delta")):
        part = parse("agent_chat_response_part", "text_response_part", text="a ", type=kind, event_id=2)
        assert part == events.ReplyPart(2, "a ", read)
    words = parse("user_transcript", "user_transcription_event", user_transcript=" Hi ", event_id=1)
    assert words == events.Words("Hi", True)
    name = "tentative_user_transcription_event"
    words = parse("tentative_user_transcript", name, user_transcript="H", event_id=1)
    assert words == events.Words("H", False)
    correction = parse(
        "agent_response_correction",
        "agent_response_correction_event",
        original_agent_response="a b ",
        corrected_agent_response="a...",
    )
    assert correction == events.Correction(0, "a b", "a...")


def test_interruption_ping_and_score() -> None:
    assert parse("interruption", "interruption_event", event_id=9) == events.Interrupted(9)
    assert parse("ping", "ping_event", event_id=2, ping_ms=None) == events.Ping(2)
    assert parse("vad_score", "vad_score_event", vad_score=0.5) == events.Score(0.5)
    with pytest.raises(WireError):
        parse("interruption", "interruption_event", event_id=-1)


def test_tools() -> None:
    call = {"tool_name": "clock", "tool_call_id": "t1", "event_id": 1}
    wanted = parse("client_tool_call", "client_tool_call", **call, parameters={"zone": "UTC"})
    assert wanted == events.ToolWanted(ToolCall("clock", {"zone": "UTC"}, "t1"))
    assert parse("client_tool_call", "client_tool_call", **call) == events.ToolWanted(
        ToolCall("clock", {}, "t1")
    )
    assert parse("client_tool_call", "client_tool_call", **call, parameters=["UTC"]) == events.ToolWanted(
        ToolCall("clock", {}, "t1", malformed='["UTC"]')
    )
    waits = {"tool_call_id": "t1", "tool_name": "pay\n", "state": "awaiting_approval"}
    assert parse("mcp_tool_call", "mcp_tool_call", **waits) == events.ApprovalWanted("t1", "pay")
    assert parse("mcp_tool_call", "mcp_tool_call", **(waits | {"state": "loading"})) is None


def test_troubles() -> None:
    def status(integrations: Any) -> events.ServerEvent | None:
        return parse("mcp_connection_status", "mcp_connection_status", integrations=integrations)

    assert isinstance(status([{"is_connected": True}, {"is_connected": False}]), events.Trouble)
    assert status([{"is_connected": True}, "odd"]) is None
    assert status("odd") is None
    assert isinstance(parse("guardrail_triggered"), events.Trouble)


def test_failures() -> None:
    event = {"code": 1008, "error_type": "override_error", "message": "no", "reason": "not\nallowed"}
    assert parse("error", "error_event", **event) == events.Failure(1008, "override_error", "no not allowed")
    assert parse("error", message="over quota") == events.Failure(0, "", "over quota")
    assert parse("error", error_event={"code": "x", "error_type": 1}) == events.Failure(0, "", "")


def test_what_needs_no_action_and_what_is_too_much() -> None:
    assert parse("agent_reasoning_response_part", reasoning_response_part={}) is None
    assert parse("of_tomorrow") is None
    with pytest.raises(WireError):
        events.parse(b'{"audio_event":{}}')
    with pytest.raises(SizeError):
        events.parse(b" " * (events.MAX_MESSAGE + 1))
