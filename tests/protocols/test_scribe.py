from __future__ import annotations

import json
from base64 import b64decode
from math import exp
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.errors import WireError
from offhook.protocols.scribe import (
    Committed,
    Described,
    Fault,
    Ignored,
    Partial,
    Started,
    Unheard,
    chunk,
    parse,
    realtime_url,
)

TIMED = {
    "message_type": "committed_transcript_with_timestamps",
    "text": "hello you",
    "language_code": "eng",
    "words": [{"text": "hello", "logprob": -0.5}, {"text": " "}, {"text": "you", "logprob": 0.5}, 7],
}


def test_one_language_is_set() -> None:
    url = realtime_url("wss://api.elevenlabs.io", "scribe_v2_realtime", "ulaw_8000", ["en"], ["Offhook"])
    assert urlsplit(url)[:3] == ("wss", "api.elevenlabs.io", "/v1/speech-to-text/realtime")
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "model_id": "scribe_v2_realtime",
        "audio_format": "ulaw_8000",
        "commit_strategy": "manual",
        "language_code": "en",
        "keyterms": "Offhook",
    }


@pytest.mark.parametrize("languages", [(), ("en", "ar", "fr")])
def test_several_languages_or_none_are_detected(languages: tuple[str, ...]) -> None:
    asked = parse_qsl(urlsplit(realtime_url("wss://x", "m", "pcm_16000", languages)).query)
    assert ("include_language_detection", "true") in asked
    assert ("include_timestamps", "true") in asked
    assert [value for name, value in asked if name == "secondary_languages"] == list(languages[1:])


def test_audio_and_commit() -> None:
    message = json.loads(chunk(b"\x00\xff", 8_000, commit=True))
    assert b64decode(message.pop("audio_base_64")) == b"\x00\xff"
    assert message == {"message_type": "input_audio_chunk", "commit": True, "sample_rate": 8_000}


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ({"message_type": "session_started", "session_id": "s"}, Started()),
        ({"message_type": "partial_transcript", "text": " hel "}, Partial("hel")),
        ({"message_type": "committed_transcript", "text": "hello"}, Committed("hello")),
        (
            {"message_type": "final_transcript", "language_code": "en"},
            Described("", "en", None, False),
        ),
        ({"message_type": "commit_throttled", "error": "?"}, Unheard("commit_throttled")),
        ({"message_type": "insufficient_audio_activity"}, Unheard("insufficient_audio_activity")),
        ({"message_type": "auth_error", "error": "?"}, Fault("auth_error", False)),
        ({"message_type": "transcriber_error", "error": "?"}, Fault("transcriber_error", True)),
        ({"message_type": "warning"}, Ignored("warning")),
    ],
)
def test_messages(message: dict[str, str], meant: object) -> None:
    assert parse(json.dumps(message)) == meant


def test_words_tell_the_language_and_how_sure_they_are() -> None:
    sure = pytest.approx((exp(-0.5) + 1) / 2)
    assert parse(json.dumps(TIMED)) == Described("hello you", "en", sure, True)
    assert parse(json.dumps({**TIMED, "words": []})) == Described("hello you", "en", None, True)


@given(st.one_of(st.text(), st.binary()))
def test_nonsense_is_a_wire_error(raw: str | bytes) -> None:
    with pytest.raises(WireError):
        parse(raw)


@given(
    st.sampled_from(sorted(TIMED)),
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(), st.lists(st.booleans())),
)
def test_any_field_may_be_anything(name: str, value: object) -> None:
    try:
        parse(json.dumps({**TIMED, name: value}))
    except WireError:
        pass
