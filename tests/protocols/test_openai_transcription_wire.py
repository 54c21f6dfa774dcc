from __future__ import annotations

import json
from base64 import b64decode
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.errors import WireError
from offhook.protocols.openai_transcription import (
    Completed,
    Created,
    Delta,
    Failed,
    Fault,
    Ignored,
    Taken,
    Updated,
    append,
    commit,
    parse,
    session_update,
    session_url,
)

ABOUT = "conversation.item.input_audio_transcription."
COMPLETED = {
    "type": f"{ABOUT}completed",
    "item_id": "item_1",
    "transcript": " Hello. ",
    "languages": [{"code": "en"}],
    "logprobs": [{"token": "Hello", "logprob": -0.5}, {"token": "."}, 7],
}


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.openai.com/v1", "wss://api.openai.com/v1/realtime?intent=transcription"),
        ("wss://api.openai.com/v1/", "wss://api.openai.com/v1/realtime?intent=transcription"),
        ("http://localhost:8000/v1", "ws://localhost:8000/v1/realtime?intent=transcription"),
        ("ws://localhost:8000", "ws://localhost:8000/realtime?intent=transcription"),
    ],
)
def test_the_address(base: str, url: str) -> None:
    assert session_url(base) == url


def test_the_session() -> None:
    assert json.loads(session_update("m", "audio/pcmu", [])) == {
        "type": "session.update",
        "session": {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "transcription": {"model": "m"},
                    "turn_detection": None,
                }
            },
        },
    }
    options = {"prompt": "p", "keywords": ["k"], "noise_reduction": "far_field", "logprobs": True}
    session = json.loads(session_update("m", "audio/pcm", ["en", "ar"], **options))["session"]  # type: ignore[arg-type]
    heard = session["audio"]["input"]
    assert heard["format"] == {"type": "audio/pcm", "rate": 24_000}
    wanted = {
        "model": "m",
        "languages": ["en", "ar"],
        "prompt": "p",
        "keywords": ["k"],
    }
    assert heard["transcription"] == wanted
    assert heard["noise_reduction"] == {"type": "far_field"}
    assert session["include"] == ["item.input_audio_transcription.logprobs"]
    one = json.loads(session_update("m", "audio/pcmu", ["ar"]))["session"]["audio"]["input"]["transcription"]
    assert one == {"model": "m", "language": "ar"}


def test_audio_and_commit() -> None:
    message = json.loads(append(b"\x00\xff"))
    assert b64decode(message["audio"]) == b"\x00\xff"
    assert json.loads(commit("commit_7")) == {"type": "input_audio_buffer.commit", "event_id": "commit_7"}


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ({"type": "session.created", "session": {}}, Created()),
        ({"type": "session.updated"}, Updated()),
        ({"type": "input_audio_buffer.committed", "item_id": "i"}, Taken("i")),
        ({"type": f"{ABOUT}delta", "item_id": "i", "delta": " hel"}, Delta("i", " hel")),
        ({"type": f"{ABOUT}delta", "item_id": "i"}, Delta("i", "")),
        ({"type": f"{ABOUT}failed", "item_id": "i", "error": {"code": "c"}}, Failed("i", "c")),
        ({"type": f"{ABOUT}segment", "item_id": "i"}, Ignored(f"{ABOUT}segment")),
        ({"type": "error", "error": {"type": "t", "code": "c", "event_id": "e"}}, Fault("t", "c", "e")),
        ({"type": "error", "error": {"code": None}}, Fault("", "", "")),
        ({"type": "rate_limits.updated"}, Ignored("rate_limits.updated")),
    ],
)
def test_messages(message: dict[str, object], meant: object) -> None:
    assert parse(json.dumps(message)) == meant


def test_completed() -> None:
    assert parse(json.dumps(COMPLETED)) == Completed("item_1", "Hello.", "en", pytest.approx(exp(-0.5)))
    for nothing in (None, [], [7], {}):
        bare = {**COMPLETED, "languages": nothing, "logprobs": nothing}
        assert parse(json.dumps(bare)) == Completed("item_1", "Hello.", "", 1.0)


@pytest.mark.parametrize("field", ["item_id", "transcript"])
def test_what_must_be_there(field: str) -> None:
    with pytest.raises(WireError):
        parse(json.dumps({**COMPLETED, field: None}))


@given(st.one_of(st.text(), st.binary()))
def test_nonsense_is_a_wire_error(raw: str | bytes) -> None:
    with pytest.raises(WireError):
        parse(raw)
