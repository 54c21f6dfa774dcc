"""The strict readings: every byte string is a value or a WireError, and nothing else."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.errors import WireError
from offhook.protocols import base

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

REFUSED = [
    (b"", "JSON"),
    (b"not json", "JSON"),
    (b"[1]", "object"),
    (b"null", "object"),
    (b"7", "object"),
    (b'"text"', "object"),
    (b"[" * 60_000, "JSON"),
    (b'{"a":' * 10_000, "JSON"),
    (b'{"a":' + b"9" * 5_000 + b"}", "digits"),
    (b'{"a":-12345678901234567}', "digits"),
    (b'{"a":NaN}', "finite"),
    (b'{"a":-Infinity}', "finite"),
    (b'{"a":1e999}', "finite"),
    (b'{"a":"\\ud800"}', "Unicode"),
    (b'{"\\udfff":1}', "Unicode"),
    (b'{"a":"\xff"}', "Unicode"),
    (b'\xef\xbb\xbf{"a":1}', "JSON"),
    (b'{"a":1} x', "JSON"),
    ('{"a":"\ud800"}', "Unicode"),
    (b'{"a":"' + b"x" * 65_536 + b'"}', "longer"),
]


@pytest.mark.parametrize(("raw", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_a_plain_object_is_refused(raw: bytes | str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        base.parse_object(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a":1,"a":2}', {"a": 2}),
        (b' {"a":-1.5e3} \n', {"a": -1500.0}),
        ('{"a":"\\u00e9\\ud83d\\ude00"}', {"a": "é😀"}),
        ('{"ü":[true,null]}'.encode(), {"ü": [True, None]}),
        (b'{"a":9007199254740993}', {"a": 9007199254740993}),
    ],
)
def test_plain_objects_are_read(raw: bytes | str, value: dict[str, object]) -> None:
    assert base.parse_object(raw) == value


def test_the_bound_is_exact() -> None:
    raw = b'{"a":"' + b"x" * (65_536 - 8) + b'"}'
    assert len(raw) == 65_536
    assert len(base.parse_object(raw)["a"]) == 65_528
    with pytest.raises(base.SizeError):
        base.parse_object(raw + b" ")
    assert base.parse_object(raw + b" ", limit=65_537)


@given(JSON)
def test_any_json_is_an_object_or_an_error(value: object) -> None:
    raw = json.dumps(value).encode()
    try:
        found = base.parse_object(raw)
    except WireError as error:
        found, reason = None, error.reason
    if found is None:
        assert not isinstance(value, dict) or "digits" in reason or "Unicode" in reason
    else:
        assert found == value


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_bytes_are_an_object_or_an_error(raw: bytes | str) -> None:
    try:
        assert isinstance(base.parse_object(raw), dict)
    except WireError:
        pass


@given(st.binary(max_size=200))
def test_base64_is_read_back(audio: bytes) -> None:
    text = base64.b64encode(audio)
    assert base.parse_base64(text) == base.parse_base64(text.decode()) == audio


@pytest.mark.parametrize(
    "text", ["AA!!!AA==", "AAA", "AA=", "=AAA", "AA==AA==", "AA\n==", "AAAA\n", "ÄAAA", "AA=A"]
)
def test_junk_in_base64_is_refused(text: str) -> None:
    with pytest.raises(WireError, match="base64"):
        base.parse_base64(text)


def test_compact_is_short_and_survives_lone_surrogates() -> None:
    assert base.compact({"a": "é", "b": [1]}) == '{"a":"é","b":[1]}'.encode()
    assert base.compact({"a": "\ud800"}) == b'{"a":"?"}'


@pytest.mark.parametrize(
    ("value", "found"), [("0", 0), (0, 0), ("90440", 90440), (10**15, 10**15), ("9" * 16, 10**16 - 1)]
)
def test_counters_are_digits_or_numbers(value: object, found: int) -> None:
    assert base.counter({"n": value}, "n") == found


@pytest.mark.parametrize("value", ["", "-1", -1, "1.0", 1.0, True, None, [], "²", "٣", "1" * 17, " 1", "0x1"])
def test_other_counters_are_refused(value: object) -> None:
    with pytest.raises(WireError, match="n is not a count"):
        base.counter({"n": value}, "n")


def test_missing_fields_take_their_default() -> None:
    assert base.counter({}, "n", 7) == 7
    assert base.string({"s": None}, "s", 5, "x") == "x"
    assert base.flag({}, "f", True) is True
    assert base.number({}, "n", 1.5) == 1.5


def test_fields_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(WireError, match="no object 'o'"):
        base.section({"o": []}, "o")
    with pytest.raises(WireError, match="not a string"):
        base.string({"s": 1}, "s", 5, "x")
    with pytest.raises(WireError, match="longer than 5"):
        base.string({"s": "123456"}, "s", 5)
    with pytest.raises(WireError, match="true or false"):
        base.flag({"f": 1}, "f", True)
    for value in (True, "1", -1, 1e7):
        with pytest.raises(WireError, match="number from"):
            base.number({"n": value}, "n", 0)
    for value in ("", "12", "x", 5, None, "٣"):
        with pytest.raises(WireError, match="digit"):
            base.digit({"digit": value})


def test_fields_of_the_right_kind_are_read() -> None:
    assert base.section({"o": {"a": 1}}, "o") == {"a": 1}
    assert base.string({"s": "12345"}, "s", 5) == "12345"
    assert base.flag({"f": False}, "f") is False
    assert base.number({"n": 12}, "n", 0) == 12.0
    assert [base.digit({"digit": key}) for key in "0#*d"] == ["0", "#", "*", "D"]


def test_control_characters_leave_a_text() -> None:
    assert base.clean("  a\x00b\x1b[31m\r\nc\td\u202e ") == "ab[31m  c d"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WireError("x"), 1007),
        (base.KindError("x"), 1003),
        (base.OrderError("x"), 1008),
        (base.SizeError("x"), 1009),
    ],
)
def test_the_third_strike_closes_with_what_was_wrong(error: WireError, code: int) -> None:
    strikes = base.Strikes()
    given = [strikes.strike(error) for _ in range(3)]
    assert given == ([1009] * 3 if code == 1009 else [0, 0, code])
