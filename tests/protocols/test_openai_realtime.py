"""OpenAI's Realtime events: ours fit the SDK's types, the vendor's are read strictly."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.openai_realtime_talk import KINDS
from tests.fakes.sdk_types import check_dict

from offhook.foundation.errors import WireError
from offhook.foundation.tools import ToolCall, ToolSpec
from offhook.protocols import openai_realtime as wire
from offhook.protocols import openai_realtime_events as events
from offhook.protocols.openai_models import RETIREMENTS, retirement

TOOL = ToolSpec("book", "Book it.", {"type": "object", "properties": {"date": {"type": "string"}}})
CONFIGS = [
    wire.SessionConfig("gpt-realtime-2.1", "marin", "Be kind."),
    wire.SessionConfig(
        "gpt-realtime-2.1",
        "cedar",
        "",
        format=wire.PCM,
        turn_detection="semantic_vad",
        noise_reduction="near_field",
        transcription_model="gpt-transcribe",
        languages=("en", "ar"),
        tools=(TOOL,),
    ),
    wire.SessionConfig(
        "m", "v", "i", "audio/pcma", transcription_model="t", languages=("en",), text_only=True
    ),
]


def read(**event: Any) -> events.ServerEvent | None:
    return events.parse(json.dumps(event).encode())


@pytest.mark.parametrize("config", CONFIGS)
def test_the_session_update_fits_the_sdk(config: wire.SessionConfig) -> None:
    event = json.loads(wire.update(config))
    check_dict(KINDS["session.update"], event)
    audio = event["session"]["audio"]
    assert audio["input"]["format"] == audio["output"]["format"]
    assert audio["input"]["format"].get("rate") == (24_000 if config.format == wire.PCM else None)
    assert event["session"]["output_modalities"] == (["text"] if config.text_only else ["audio"])
    heard = audio["input"].get("transcription", {})
    assert heard.get("language") == ("en" if config.languages == ("en",) else None)


@pytest.mark.parametrize(
    "raw",
    [
        wire.append(b"\x00\xff" * 80),
        wire.message("user", "Grüße"),
        wire.message("system", "The call begins."),
        wire.tool_output("call_1", "kept"),
        wire.respond("ask_1"),
        wire.respond("ask_2", "Say this.", alone=True, tools=False),
        wire.cancel(),
        wire.truncate("item_1", 1200),
    ],
)
def test_client_events_fit_the_sdk(raw: bytes) -> None:
    event = json.loads(raw)
    check_dict(KINDS[event["type"]], event)


@given(st.binary(min_size=1, max_size=400))
def test_audio_goes_out_as_it_is(audio: bytes) -> None:
    assert base64.b64decode(json.loads(wire.append(audio))["audio"], validate=True) == audio


@given(st.binary(max_size=400))
def test_audio_comes_in_as_it_is(audio: bytes) -> None:
    delta = base64.b64encode(audio).decode()
    found = read(type="response.output_audio.delta", response_id="r", item_id="i", delta=delta)
    assert found == events.Sound("r", "i", audio)


ERROR = {"type": "server_error", "code": None, "message": "oops", "event_id": "e"}
FORMAT = {
    "input": {"format": {"type": "audio/pcmu"}},
    "output": {"format": {"type": "audio/pcm"}, "voice": "x"},
}
CALL = {"type": "function_call", "id": "i", "name": "book", "call_id": "c"}
ABOUT = "conversation.item.input_audio_transcription."
READINGS: list[tuple[dict[str, Any], events.ServerEvent | None]] = [
    ({"type": "conversation.item.added", "item": {}}, None),
    ({"type": "session.created", "session": {}}, events.SessionCreated()),
    (
        {"type": "session.updated", "session": {"model": "m", "audio": FORMAT}},
        events.SessionUpdated("m", "x", "audio/pcmu", "audio/pcm"),
    ),
    ({"type": "session.updated", "session": {"audio": 3}}, events.SessionUpdated("", "", "", "")),
    (
        {
            "type": "session.updated",
            "session": {"audio": {"input": {"format": {"type": wire.PCM, "rate": 24000}}}},
        },
        events.SessionUpdated("", "", "audio/pcm", ""),
    ),
    ({"type": "input_audio_buffer.speech_started", "item_id": "i"}, events.SpeechStarted("i")),
    ({"type": "input_audio_buffer.speech_stopped", "item_id": "i"}, events.SpeechStopped("i")),
    ({"type": "input_audio_buffer.committed", "item_id": "i"}, events.Committed("i")),
    ({"type": f"{ABOUT}delta", "item_id": "i", "delta": "He"}, events.Words("i", "He", False)),
    (
        {"type": f"{ABOUT}completed", "item_id": "i", "transcript": "Hi", "languages": [{"code": "en"}]},
        events.Words("i", "Hi", True, "en"),
    ),
    (
        {"type": f"{ABOUT}completed", "item_id": "i", "transcript": "Hi", "languages": [{"code": "en"}, 3]},
        events.Words("i", "Hi", True),
    ),
    ({"type": f"{ABOUT}completed", "item_id": "i", "transcript": "Hi"}, events.Words("i", "Hi", True)),
    ({"type": f"{ABOUT}failed", "item_id": "i", "error": {}}, events.Words("i", "", True)),
    ({"type": "response.created", "response": {"id": "r"}}, events.ResponseCreated("r")),
    (
        {"type": "response.output_audio_transcript.delta", "response_id": "r", "item_id": "i", "delta": "a"},
        events.Text("r", "i", "a", False),
    ),
    (
        {"type": "response.output_audio_transcript.done", "item_id": "i", "transcript": "ab"},
        events.Text("", "i", "ab", True),
    ),
    ({"type": "response.output_text.delta", "item_id": "i", "delta": "a"}, events.Text("", "i", "a", False)),
    ({"type": "response.output_text.done", "item_id": "i", "text": "ab"}, events.Text("", "i", "ab", True)),
    (
        {"type": "response.output_item.done", "response_id": "r", "item": {"id": "i", "type": "message"}},
        events.ItemDone("r", "i"),
    ),
    (
        {"type": "response.output_item.done", "item": {**CALL, "arguments": '{"date":"today"}'}},
        events.ItemDone("", "i", ToolCall("book", {"date": "today"}, "c")),
    ),
    (
        {"type": "response.output_item.done", "item": {**CALL, "arguments": "{}", "status": None}},
        events.ItemDone("", "i", ToolCall("book", {}, "c")),
    ),
    (
        {"type": "response.output_item.done", "item": {**CALL, "arguments": "[1]"}},
        events.ItemDone("", "i", ToolCall("book", {}, "c", "[1]")),
    ),
    (
        {"type": "response.output_item.done", "item": {**CALL, "arguments": " "}},
        events.ItemDone("", "i", ToolCall("book", {}, "c")),
    ),
    (
        {"type": "response.output_item.done", "item": {**CALL, "arguments": "{", "status": "incomplete"}},
        events.ItemDone("", "i"),
    ),
    ({"type": "response.done", "response": {"id": "r"}}, events.ResponseDone("r", "completed")),
    (
        {
            "type": "response.done",
            "response": {"status": "cancelled", "status_details": {"reason": "turn_detected"}},
        },
        events.ResponseDone("", "cancelled", "turn_detected"),
    ),
    (
        {"type": "response.done", "response": {"status": "failed", "status_details": {"error": ERROR}}},
        events.ResponseDone("", "failed", "server_error"),
    ),
    ({"type": "rate_limits.updated", "rate_limits": None}, events.RateLimits(())),
    (
        {
            "type": "rate_limits.updated",
            "rate_limits": [3, {"name": "tokens", "limit": 9, "remaining": "?", "reset_seconds": 0.5}],
        },
        events.RateLimits((events.RateLimit("tokens", 9.0, 0.0, 0.5),)),
    ),
    ({"type": "error", "error": ERROR}, events.Failure("server_error", "oops", "e")),
    ({"type": "error", "error": {"code": "x"}}, events.Failure("x", "", "")),
]


@pytest.mark.parametrize(("event", "expected"), READINGS)
def test_server_events_are_read(event: dict[str, Any], expected: events.ServerEvent | None) -> None:
    assert read(**event) == expected


@pytest.mark.parametrize(
    "event",
    [
        {"type": 3},
        {"type": "response.created", "response": []},
        {"type": "response.output_audio.delta", "item_id": "i", "delta": "no base64!"},
        {"type": "input_audio_buffer.speech_started"},
        {"type": "session.updated", "session": {"audio": {"output": {"format": {"type": "audio/opus"}}}}},
        {
            "type": "session.updated",
            "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}},
        },
        {"type": "error", "error": "oops"},
    ],
)
def test_events_that_are_none_are_refused(event: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        read(**event)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(-99, 99) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "item", "session", "audio", "error", "format", "type", "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(sorted(events._READ)),
    st.dictionaries(st.sampled_from(["session", "item", "response", "error", "item_id", "delta"]), _JSON),
)
def test_nothing_but_wire_errors_is_raised(kind: str, fields: dict[str, Any]) -> None:
    with contextlib.suppress(WireError):
        read(**{**fields, "type": kind})


@given(st.binary(max_size=60))
def test_bytes_that_are_no_event_are_refused(raw: bytes) -> None:
    with contextlib.suppress(WireError):
        events.parse(raw)


def test_models_that_will_be_gone() -> None:
    assert retirement("gpt-realtime-2.1") is None
    assert str(retirement("gpt-realtime")) == "2027-01-20"
    assert all(day.year == 2027 for day in RETIREMENTS.values())
