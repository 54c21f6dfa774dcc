"""What a Realtime client may send, and what it is sent: every branch."""

from __future__ import annotations

import base64
import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import ConversationItem, RealtimeServerEvent
from pydantic import TypeAdapter

from offhook.foundation.errors import WireError
from offhook.protocols import realtime_door as door
from offhook.protocols.realtime_door_events import (
    ResponseEvents,
    ServerEvents,
    assistant,
    assistant_part,
    function_call,
    user_speech,
)
from offhook.protocols.realtime_door_events import given as shown
from offhook.protocols.realtime_door_items import CallOutput, EventError, FunctionCall, Words, length
from offhook.protocols.realtime_door_session import SessionConfig, merged

TYPES = {
    get_args(member.model_fields["type"].annotation)[0]: member
    for member in get_args(get_args(RealtimeServerEvent)[0])
}
CONFIG = SessionConfig("default", "Be kind.", "heart", ("heart", "nova"))


def read(kind: str, **fields: Any) -> Any:
    event, event_id = door.read_event(json.dumps({"type": kind, "event_id": "e1", **fields}).encode())
    assert event_id == "e1"
    return event


def wrong(kind: str, **fields: Any) -> EventError:
    with pytest.raises(EventError) as caught:
        read(kind, **fields)
    assert caught.value.event_id == "e1"
    return caught.value


def message(role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": list(parts), **more}


SAID = {"type": "input_text", "text": "Hello."}


@pytest.mark.parametrize(
    ("kind", "fields", "event"),
    [
        ("session.update", {"session": {"a": 1}}, door.SessionUpdate({"a": 1})),
        ("input_audio_buffer.append", {"audio": base64.b64encode(b"abc").decode()}, door.Append(b"abc")),
        ("input_audio_buffer.commit", {}, door.Commit()),
        ("input_audio_buffer.clear", {}, door.Clear()),
        ("conversation.item.retrieve", {"item_id": "i"}, door.ItemRetrieve("i")),
        ("conversation.item.delete", {"item_id": "i"}, door.ItemDelete("i")),
        (
            "conversation.item.truncate",
            {"item_id": "i", "content_index": 0, "audio_end_ms": 7},
            door.ItemTruncate("i", 7),
        ),
        (
            "conversation.item.create",
            {"item": message("user", SAID, {"type": "input_audio", "transcript": " Hi."}, id="i")},
            door.ItemCreate(Words("user", "Hello. Hi.", "i")),
        ),
        (
            "conversation.item.create",
            {"item": message("assistant"), "previous_item_id": "root"},
            door.ItemCreate(Words("assistant", ""), "root"),
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call", "name": "f", "arguments": "{}", "call_id": None}},
            door.ItemCreate(FunctionCall("f", "", "{}")),
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": "c", "output": "42"}},
            door.ItemCreate(CallOutput("c", "42")),
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": "c", "output": [{"text": "é"}]}},
            door.ItemCreate(CallOutput("c", '[{"text": "é"}]')),
        ),
        ("response.cancel", {}, door.ResponseCancel()),
        ("response.cancel", {"response_id": "r"}, door.ResponseCancel("r")),
        ("response.create", {}, door.ResponseCreate()),
        ("response.create", {"response": None}, door.ResponseCreate()),
        ("response.create", {"response": {"tools": []}}, door.ResponseCreate(None, None, False)),
        (
            "response.create",
            {
                "response": {
                    "instructions": "",
                    "output_modalities": ["text"],
                    "tool_choice": "none",
                    "metadata": {"a": "b"},
                    "conversation": "auto",
                    "input": [],
                    "tools": [],
                }
            },
            door.ResponseCreate("", True, False, {"a": "b"}),
        ),
        (
            "response.create",
            {"response": {"output_modalities": ["audio", "text"], "tool_choice": "auto"}},
            door.ResponseCreate(None, False, True),
        ),
    ],
)
def test_events_are_read(kind: str, fields: dict[str, Any], event: Any) -> None:
    assert read(kind, **fields) == event


@pytest.mark.parametrize(
    ("kind", "fields", "param"),
    [
        ("nothing", {}, "type"),
        ("output_audio_buffer.clear", {}, "type"),
        ("input_audio_buffer.append", {}, "audio"),
        ("input_audio_buffer.append", {"audio": "A"}, "audio"),
        ("session.update", {"session": []}, "session"),
        ("conversation.item.create", {}, "item"),
        ("conversation.item.create", {"item": {"type": "item_reference"}}, "item.type"),
        ("conversation.item.create", {"item": message("tool")}, "item.role"),
        ("conversation.item.create", {"item": {"type": "message", "role": "user"}}, "item.content"),
        ("conversation.item.create", {"item": message("user", *[SAID] * 65)}, "item.content"),
        ("conversation.item.create", {"item": message("user", 7)}, "item.content[0].type"),
        (
            "conversation.item.create",
            {"item": message("user", {"type": "input_text"})},
            "item.content[0].text",
        ),
        ("conversation.item.create", {"item": message("user", {"type": "input_image"})}, "item.content[0]"),
        (
            "conversation.item.create",
            {"item": message("user", {"type": "input_audio", "audio": "AAAA"})},
            "item.content[0]",
        ),
        (
            "conversation.item.create",
            {"item": message("user", {"type": "input_text", "text": "x" * 65_537})},
            "item.content[0].text",
        ),
        (
            "conversation.item.create",
            {"item": message("user", *[{"type": "input_text", "text": "x" * 40_000}] * 2)},
            "item.content",
        ),
        ("conversation.item.create", {"item": message("user", id=7)}, "item.id"),
        ("conversation.item.create", {"item": {"type": "function_call", "name": "f"}}, "item.arguments"),
        ("conversation.item.create", {"item": {"type": "function_call_output"}}, "item.call_id"),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": "c", "output": 7}},
            "item.output",
        ),
        ("conversation.item.create", {"item": message("user"), "previous_item_id": 7}, "previous_item_id"),
        ("conversation.item.retrieve", {"item_id": ""}, "item_id"),
        ("conversation.item.delete", {"item_id": "x" * 513}, "item_id"),
        ("conversation.item.truncate", {"item_id": "i", "audio_end_ms": -1}, "audio_end_ms"),
        ("conversation.item.truncate", {"item_id": "i", "audio_end_ms": True}, "audio_end_ms"),
        (
            "conversation.item.truncate",
            {"item_id": "i", "audio_end_ms": 1, "content_index": 1},
            "content_index",
        ),
        ("response.create", {"response": 7}, "response"),
        ("response.create", {"response": {"input": [{}]}}, "response.input"),
        ("response.create", {"response": {"prompt": {"id": "p"}}}, "response.prompt"),
        ("response.create", {"response": {"conversation": "none"}}, "response.conversation"),
        ("response.create", {"response": {"tools": [{}]}}, "response.tools"),
        ("response.create", {"response": {"instructions": 7}}, "response.instructions"),
        ("response.create", {"response": {"tool_choice": "required"}}, "response.tool_choice"),
        ("response.create", {"response": {"output_modalities": ["video"]}}, "response.output_modalities"),
        ("response.create", {"response": {"output_modalities": "text"}}, "response.output_modalities"),
        ("response.create", {"response": {"metadata": {str(n): "" for n in range(17)}}}, "response.metadata"),
        ("response.create", {"response": {"metadata": {"a": 1}}}, "response.metadata"),
        ("response.create", {"response": {"metadata": []}}, "response.metadata"),
    ],
)
def test_what_is_wrong_is_named(kind: str, fields: dict[str, Any], param: str) -> None:
    assert wrong(kind, **fields).param == param


@pytest.mark.parametrize("raw", [b"", b"\x00", b"7", b'{"type":"a","n":1e999}', b" " * (door.MAX_EVENT + 1)])
def test_what_is_no_event_has_no_id(raw: bytes) -> None:
    with pytest.raises(EventError) as caught:
        door.read_event(raw)
    assert caught.value.event_id == ""


@pytest.mark.parametrize("event_id", [None, 7, "x" * 513])
def test_an_id_that_is_none_is_not_echoed(event_id: Any) -> None:
    assert door.read_event(json.dumps({"type": "response.cancel", "event_id": event_id}).encode())[1] == ""


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "item", "session", "response", "audio", "input", "turn_detection", "tools"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(sorted(door._READERS)),
)
def test_nothing_else_is_raised(value: Any, kind: str) -> None:
    raw = json.dumps(
        {"type": kind, "item": value, "session": value, "response": value, "item_id": value}
    ).encode()
    try:
        event, _ = door.read_event(raw)
        if isinstance(event, door.SessionUpdate):
            merged(CONFIG, event.session)
    except WireError:
        pass


# Events out.


def checked(raw: bytes) -> dict[str, Any]:
    event = json.loads(raw)
    TYPES[event["type"]].model_validate(event)
    return dict(event)


def test_events_have_ids_of_their_own_and_the_sdks_form() -> None:
    events = ServerEvents("s1")
    item = user_speech("i", None)
    made = [
        events.added(item, None),
        events.done(item, "before"),
        events.transcript("i", "Hello.", 1.234),
        events.transcript_failed("i", "no words"),
        events.error(EventError("wrong", "invalid_value", "item", "e1")),
        events.trouble("server_error", "ours"),
    ]
    found = [checked(raw) for raw in made]
    assert len({event["event_id"] for event in found}) == len(found)
    assert found[2]["usage"] == {"type": "duration", "seconds": 1.23}
    assert found[4]["error"]["event_id"] == "e1"
    assert found[5]["error"]["type"] == "server_error"
    assert events.id("item") != events.id("item")


def test_a_responses_events() -> None:
    place = ResponseEvents(ServerEvents("s1"), "r", "i", 0)
    part = assistant_part("Hello.", text_only=False)
    for raw in (
        place.item("added", assistant("i", "in_progress", None, False)),
        place.part("added", part),
        place.content("output_audio_transcript.delta", delta="Hello."),
        place.audio(b"\x00\x01"),
        place.content("output_audio.done"),
        place.content("output_audio_transcript.done", transcript="Hello."),
        place.part("done", part),
        place.item("done", assistant("i", "completed", "Hello.", False)),
        place.content("output_text.delta", delta="Hello."),
        place.content("output_text.done", text="Hello."),
    ):
        assert checked(raw)["response_id"] == "r"
    call = FunctionCall("f", "c", "{}")
    for kind, fields in (("delta", {"delta": "{}"}), ("done", {"name": "f", "arguments": "{}"})):
        event = checked(place.arguments(kind, call_id="c", **fields))
        assert event["call_id"] == call.call_id


@pytest.mark.parametrize(
    "item",
    [
        user_speech("i", "Hello."),
        assistant("i", "completed", "Hello.", True),
        assistant("i", "completed", "Hello.", False),
        function_call("i", "completed", FunctionCall("f", "c", "{}")),
        shown("i", Words("user", "Hello.")),
        shown("i", Words("assistant", "Hello.")),
        shown("i", FunctionCall("f", "c", "{}")),
        shown("i", CallOutput("c", "42")),
    ],
)
def test_items_have_the_sdks_form(item: dict[str, Any]) -> None:
    found = TypeAdapter(ConversationItem).validate_python(item)
    assert found.id == "i"  # type: ignore[union-attr]


def test_the_length_of_an_item_is_what_it_brings():
    assert length(Words("user", "four")) == 4
    assert length(FunctionCall("book", "c1", "{}")) == 2
    assert length(CallOutput("c1", "yes")) == 3
