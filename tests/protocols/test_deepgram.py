from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.errors import WireError
from offhook.protocols.deepgram import (
    Connected,
    Fault,
    Ignored,
    Results,
    TurnEvent,
    TurnInfo,
    flux_url,
    listen_url,
    parse_flux,
    parse_listen,
)

RESULTS = {
    "type": "Results",
    "start": 1.5,
    "duration": 0.5,
    "is_final": True,
    "from_finalize": True,
    "channel": {"alternatives": [{"transcript": " hello ", "confidence": 0.9, "languages": ["en-US"]}]},
}
TURN = {
    "type": "TurnInfo",
    "event": "Update",
    "turn_index": 3,
    "audio_window_end": 2.5,
    "transcript": "hello",
    "words": [{"word": "hello", "confidence": 0.8}, {"word": "you"}, "?"],
    "end_of_turn_confidence": 0.25,
    "languages": ["ara"],
}


def query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query)


def test_one_language_is_set() -> None:
    url = listen_url("wss://api.deepgram.com", "nova-3", "mulaw", 8_000, ["en"], ["Off hook"], 250)
    assert urlsplit(url)[:3] == ("wss", "api.deepgram.com", "/v1/listen")
    asked = dict(query(url))
    assert asked["language"] == "en"
    assert asked["keyterm"] == "Off hook"
    assert asked["endpointing"] == "250"
    assert (asked["encoding"], asked["sample_rate"], asked["channels"]) == ("mulaw", "8000", "1")


@pytest.mark.parametrize("languages", [(), ("en", "ar")])
def test_several_languages_or_none_are_detected(languages: tuple[str, ...]) -> None:
    asked = query(listen_url("wss://x", "nova-3", "linear16", 16_000, languages))
    assert ("language", "multi") in asked
    assert tuple(value for name, value in asked if name == "language_hint") == languages


def test_flux_is_told_when_a_turn_is_over() -> None:
    url = flux_url("wss://x", "flux-general-multi", "mulaw", 8_000, ["en"], ["a", "b"], eager_threshold=0.4)
    asked = query(url)
    assert urlsplit(url).path == "/v2/listen"
    assert {("eot_threshold", "0.7"), ("eager_eot_threshold", "0.4"), ("eot_timeout_ms", "5000")} <= set(
        asked
    )
    assert [value for name, value in asked if name == "keyterm"] == ["a", "b"]
    assert ("language_hint", "en") in asked
    assert "eager_eot_threshold" not in dict(query(flux_url("wss://x", "flux-general-en", "mulaw", 8_000)))


def test_results() -> None:
    assert parse_listen(json.dumps(RESULTS)) == Results("hello", 2_000, True, True, 0.9, "en")
    bare = {"type": "Results", "channel": {"alternatives": [{"transcript": ""}]}}
    assert parse_listen(json.dumps(bare)) == Results("", 0, False)


@pytest.mark.parametrize("languages", [None, "en", [], [7, "??"]])
def test_languages_that_are_none(languages: object) -> None:
    message = {**TURN, "languages": languages}
    heard = parse_flux(json.dumps(message))
    assert isinstance(heard, TurnInfo)
    assert heard.language == ""


@pytest.mark.parametrize("channel", [None, {}, *({"alternatives": nothing} for nothing in ([], [7], {}))])
def test_results_without_words_are_none(channel: object) -> None:
    with pytest.raises(WireError):
        parse_listen(json.dumps({**RESULTS, "channel": channel}))


@pytest.mark.parametrize("field", ["start", "duration"])
@pytest.mark.parametrize("value", ["1", -1, True, 1e12])
def test_times_must_be_times(field: str, value: object) -> None:
    with pytest.raises(WireError):
        parse_listen(json.dumps({**RESULTS, field: value}))


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"type": "Error", "variant": "SchemaError"}, "SchemaError"),
        ({"type": "Error", "variant": "your key sk-123"}, ""),
        ({"type": "Error"}, ""),
    ],
)
def test_faults_are_named_and_nothing_else_of_them_repeated(message: dict[str, str], fault: str) -> None:
    assert parse_listen(json.dumps(message)) == Fault(fault)


def test_flux_turns() -> None:
    heard = parse_flux(json.dumps(TURN))
    assert heard == TurnInfo(TurnEvent.UPDATE, 3, "hello", 2_500, 0.25, pytest.approx(0.9), "ar")
    assert parse_flux(json.dumps({**TURN, "words": None})).confidence == 1.0  # type: ignore[union-attr]
    assert parse_flux(json.dumps({**TURN, "words": []})).confidence == 1.0  # type: ignore[union-attr]


def test_other_messages() -> None:
    assert parse_flux('{"type":"Connected"}') == Connected()
    assert parse_flux('{"type":"Error","code":"INTERNAL_SERVER_ERROR"}') == Fault("INTERNAL_SERVER_ERROR")
    assert parse_flux('{"type":"Warning","code":"X"}') == Ignored("Warning")
    assert parse_flux(json.dumps({**TURN, "event": "Later"})) == Ignored("Later")
    assert parse_listen('{"type":"Metadata"}') == Ignored("Metadata")


@given(st.one_of(st.text(), st.binary()))
def test_nonsense_is_a_wire_error(raw: str | bytes) -> None:
    for parse in (parse_listen, parse_flux):
        with suppress(WireError):  # by chance it may be a message, of a type that is none
            assert isinstance(parse(raw), Ignored)


FIELDS = st.sampled_from([*RESULTS, *TURN])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=6,
)


@given(FIELDS, VALUES)
def test_any_field_may_be_anything(name: str, value: object) -> None:
    for parse, message in ((parse_listen, RESULTS), (parse_flux, TURN)):
        try:
            parse(json.dumps({**message, name: value}))
        except WireError:
            pass
