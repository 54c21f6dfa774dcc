"""Nothing secret or personal leaves through a log record, and no record can pretend to be two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.redact import Redactor, escape_controls, redact_text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("key sk-proj-abcdefgh1234 used", "key [secret] used"),
        ("Authorization: Bearer abcdefghijkl.mno", "Authorization: Bearer [secret]"),
        ("basic dXNlcjpwYXNzd29yZA==", "basic [secret]"),
        ("amqp://user:hunter22@host.example/x", "amqp://[credentials]@host.example/x"),
        ("redis://:pw@host", "redis://:pw@host"),
        ("token eyJhbGciOi.eyJzdWIiOi.c2ln", "token [secret]"),
        ("from +15550142233 to +44 20 7946 0018.", "from [phone] to [phone]."),
        ("card 4111 1111 1111 1111 ok", "card [card] ok"),
        ("card 4111-1111-1111-1111", "card [card]"),
        ("not a card 4111 1111 1111 1112", "not a card 4111 1111 1111 1112"),
        ("call_01h2xcejqtf2nbrexx3vqjhp41", "call_01h2xcejqtf2nbrexx3vqjhp41"),
        ("2026-11-21T01:14:06.123456Z", "2026-11-21T01:14:06.123456Z"),
        ("task-list of 12345", "task-list of 12345"),
    ],
)
def test_patterns(text: str, clean: str) -> None:
    assert redact_text(text) == clean


def test_loaded_values_are_masked_longest_first_and_at_any_depth() -> None:
    redactor = Redactor(["canary-1", "canary-1-long", "abc"])
    record = {
        "event": "got canary-1-long",
        "nested": {"canary-1": ["x canary-1", ("canary-1",)]},
        "error": ValueError("bad canary-1"),
        "count": 3,
        "flag": True,
        "none": None,
        "bytes": b"canary-1",
    }
    clean = redactor(None, "info", record)
    assert "canary" not in repr(clean)
    assert clean["count"] == 3
    assert clean["flag"] is True
    assert clean["none"] is None


def test_short_values_are_not_searched_for() -> None:
    assert Redactor(["abc"]).text("abcdef") == "abcdef"


def test_deep_structures_are_still_cleaned() -> None:
    value: object = "canary-1"
    for _ in range(20):
        value = [value]
    assert "canary" not in repr(Redactor(["canary-1"])(None, "info", {"event": value}))


def test_control_characters_cannot_start_a_new_line() -> None:
    assert escape_controls("a\r\nb\x1b[31m\u2028c") == "a\\r\\nb\\x1b[31m\\u2028c"
    clean = Redactor()(None, "info", {"event": "x\nERROR fake"})
    assert clean["event"] == "x\\nERROR fake"


def test_tracebacks_keep_their_lines_but_indented() -> None:
    clean = Redactor()(None, "error", {"exception": "Traceback\n  File x\nValueError: sk-abcdefghijkl"})
    assert clean["exception"] == "Traceback\n      File x\n    ValueError: [secret]"


@given(st.text(max_size=300), st.text(min_size=6, max_size=20))
def test_any_text_becomes_one_line_without_the_secret(text: str, secret: str) -> None:
    clean = Redactor([secret]).text(text + secret + text)
    assert "\n" not in clean
    assert "\r" not in clean
    if secret.isprintable() and secret not in "[secret]" and secret not in text:
        assert clean.count(secret) <= escape_controls(text + "[secret]" + text).count(secret)
