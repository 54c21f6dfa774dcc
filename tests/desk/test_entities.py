"""Entities in what is said: labelled turns of two languages, the single recognizers, what is no entity."""

from __future__ import annotations

import json
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from offhook.desk.entities import phones
from offhook.desk.entities.base import Kind, masked
from offhook.desk.entities.collect import collect
from offhook.desk.entities.digits import runs
from offhook.desk.entities.find import MOST, MOST_LOOKED_UP, find, warm
from offhook.desk.entities.tokens import tokens

HERE = Path(__file__).parent


def labelled(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text("utf-8").splitlines()]


def score(rows: list[dict[str, Any]]) -> tuple[int, list[str], list[str]]:
    """How many were found, what was missed, what was found and is not there."""
    right, missed, false = 0, [], []
    for row in rows:
        found = Counter(
            (str(one.kind), one.value) for one in find(row["text"], row["language"], row.get("before", ""))
        )
        wanted = Counter((kind, value) for kind, value in row["entities"])
        right += (found & wanted).total()
        missed += [f"{row['id']} {one}" for one in (wanted - found).elements()]
        false += [f"{row['id']} {one}" for one in (found - wanted).elements()]
    return right, missed, false


def test_turns_it_was_tuned_on_are_all_read() -> None:
    rows = labelled("entities_tuning.jsonl")
    assert len(rows) >= 60
    assert score(rows)[1:] == ([], [])


def test_turns_it_was_not_tuned_on() -> None:
    rows = labelled("entities_heldout.jsonl")
    right, missed, false = score(rows)
    assert len(rows) >= 45
    assert right / (right + len(missed)) >= 0.95, missed
    assert right / (right + len(false)) >= 0.95, false


def test_places_are_of_the_turn_as_it_was_given() -> None:
    for row in [*labelled("entities_tuning.jsonl"), *labelled("entities_heldout.jsonl")]:
        found = find(row["text"], row["language"], row.get("before", ""))
        for one in found:
            assert row["text"][one.start : one.end] == one.text, row["id"]
        for one, after in pairwise(found):
            assert one.end <= after.start, row["id"]


TABLE: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("en", "", []),
    ("en", "one", []),
    ("en", "the total is twelve", []),
    ("en", "phone 00 44 20 7946 0123", [("phone", "+442079460123")]),
    ("en", "call me at 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2", []),
    (
        "en",
        "it's 202 555 0143 or 212 555 0100. 5 people wait",
        [("phone", "+12025550143"), ("phone", "+12125550100")],
    ),
    ("en", "call extension 44", []),
    ("en", "my cell is plus (44) 20 7946 0123", [("phone", "+442079460123")]),
    (
        "en",
        "card 4111 1111 1111 1111 or 5555 5555 5555 4444",
        [("card", "4111111111111111"), ("card", "5555555555554444")],
    ),
    ("en", "send 0x52908400098527886E0F7030069857D2E4169EE", []),
    ("en", "send bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", []),
    (
        "en",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        [("wallet", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0")],
    ),
    ("en", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj1", []),
    ("en", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", []),
    ("en", "Tzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", []),
    ("en", "I bought the laptop at amazon dot com", [("url", "amazon.com")]),
    ("en", "I dot the i and com", []),
    ("en", "e.g. this i.e. that. Then more.", []),
    ("en", "my email is a b c at x y z dot com", [("email", "abc@xyz.com")]),
    ("en", "my mail is a dot b dash c plus one at x dot org", [("email", "a.b-c+1@x.org")]),
    ("en", "site dot com slash a dash b slash two", [("url", "site.com/a-b/2")]),
    ("en", "See www.example.com/path?x=1.", [("url", "www.example.com/path?x=1")]),
    ("en", "a thousand dollars", [("amount", "1000 USD")]),
    ("en", "an hour and a dollar", []),
    ("en", "one hundred and five pounds", [("amount", "105 GBP")]),
    ("en", "two million three hundred thousand euros", [("amount", "2300000 EUR")]),
    ("en", "five grand", [("amount", "5000 USD")]),
    ("en", "nine hundred hundred dollars", [("amount", "100 USD")]),
    ("en", "two point five million dollars", [("amount", "2500000 USD")]),
    ("en", "two point dollars", []),
    ("en", "three dollars and fifty cents", [("amount", "3.50 USD")]),
    ("en", "$20 and 30 people", [("amount", "20 USD")]),
    ("en", "500 kuwaiti dinars", [("amount", "500 KWD")]),
    ("en", "0.005 BTC", [("amount", "0.005 BTC")]),
    ("en", "dollars are money", []),
    ("en", "your code is 12", []),
    ("en", "IBAN XX00 1234", []),
    ("en", "gb two nine n w b k six zero one six", []),
    ("en", "B as in bravo then stop", []),
    ("en", "This is fine.", []),
    ("en", "this is agent smith from billing", [("name", "Smith")]),
    ("en", "you are speaking with Anna", [("name", "Anna")]),
    ("en", "my name is not important", []),
    ("ar", "معي ريالين", [("amount", "2 SAR")]),
    ("ar", "ألف وخمسمية جنيه مصري", [("amount", "1500 EGP")]),
    ("ar", "مليون ونص ريال قطري", [("amount", "1500000 QAR")]),
    ("ar", "ثلاثمية وخمسة وأربعين درهم", [("amount", "345 AED")]),
    ("ar", "خمسة عشر دينار", [("amount", "15 DINAR")]),
    ("ar", "رقمي صفر خمسة دبل خمسة، أربعة اثنين ثلاثة ستة سبعة ثمانية", [("phone", "+966555423678")]),
    ("ar", "اسمي من فضلك", []),
]


@pytest.mark.parametrize(("language", "text", "expected"), TABLE)
def test_table(language: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert [(str(one.kind), one.value) for one in find(text, language)] == expected


def test_the_question_gives_a_number_its_meaning() -> None:
    said = "It's 7734 1028."
    kinds = [
        [str(one.kind) for one in find(said, "en", before)] for before in ("", "And your account number?")
    ]
    assert kinds == [[], ["bank_account"]]


def test_countries_of_national_numbers() -> None:
    text = "call me on 030 901820"
    assert find(text, "en") == [] or find(text, "en")[0].value != "+4930901820"
    assert find(text, "en", regions=("DE",))[0].value == "+4930901820"
    warm(("DE",))


def test_long_and_hostile_turns_take_bounded_time() -> None:
    for text in (
        "one " * 5_000,
        "1," * 5_000,
        "a@" * 5_000,
        "a.a-" * 5_000,
        "five hundred " * 1_000,
        "dot " * 3_000,
    ):
        began = time.process_time()
        find(text, "en")
        assert time.process_time() - began < 1.0, text[:20]


def test_what_logs_may_show() -> None:
    assert masked("card", "4111111111111111") == "••••••••••••1111"
    assert masked("code", "1234") == "••••"
    assert masked("name", "Al") == "••"
    assert masked("anything", "secret") == "••••••"
    assert set(Kind) >= {Kind.PHONE, Kind.IBAN}


def test_entities_as_they_stand() -> None:
    told = {
        "type": "card",
        "value": "41",
        "text": "41",
        "leg": "caller",
        "turn": 1,
        "start": 0,
        "end": 2,
        "at_ms": 5,
    }
    place = {"leg": "agent", "turn": 2, "start": 1, "end": 3, "at_ms": 9}
    events = [
        {"kind": "call_started"},
        {"kind": "entity", "id": "e1", **told, "confidence": 0.5},
        {"kind": "entity", "id": "e2", **told, "at_ms": 8},
        {"kind": "entity", "id": "e1", **told, "value": "4111", "confidence": 1.0},
        {"kind": "entity_mentioned", "id": "e1", **place},
        {"kind": "entity_mentioned", "id": "gone", **place},
        {"kind": "entity_pinned", "id": "e2", "by": "p", "pinned": True, "added": {}},
        {"kind": "entity_pinned", "id": "gone", "by": "p", "pinned": True, "added": {}},
        {
            "kind": "entity_pinned",
            "id": "own",
            "by": "p",
            "pinned": True,
            "added": {"type": "t", "value": "v"},
            "media_ms": 7,
        },
        {"kind": "entity_pinned", "id": "own", "by": "q", "pinned": False, "added": {}},
    ]
    found = collect(events)
    assert [(one["id"], one["value"], one["pinned"], one["added_by"]) for one in found] == [
        ("e2", "41", True, ""),
        ("e1", "4111", False, ""),
        ("own", "v", False, "p"),
    ]
    assert found[1]["mentions"] == [place]
    assert found[2]["at_ms"] == 7


PHONES = (
    ("الرقم زائد تسعة ستة ستة خمسون واحد اثنان ثلاثة أربعة خمسة ستة سبعة", "ar", "+966501234567"),
    ("it's 966 50 123 4567", "en", "+966501234567"),
)


@pytest.mark.parametrize(("text", "language", "value"), PHONES)
def test_country_codes(text: str, language: str, value: str) -> None:
    assert [one.value for one in find(text, language)] == [value]


MORE: list[tuple[str, str, str, list[tuple[str, str]]]] = [
    ("en", "", "it's a very long sentence of mine at x y z dot com", [("url", "xyz.com")]),
    ("en", "", "write to bob plus at x dot com", [("email", "bobplus@x.com")]),
    ("en", "", "see example dot com slash", [("url", "example.com")]),
    ("en", "", "see example dot com slash a dash !", [("url", "example.com/a")]),
    ("en", "", "my phone is 123 456 7890", [("phone", "+11234567890")]),
    ("en", "", "my phone is plus 999 123 456 789", []),
    ("en", "", "my phone is 111 222", []),
    ("en", "", "my phone is 012 345 678 901 234", []),
    ("en", "", "dial 00 99 55 44 33 22", []),
    ("en", "", "the fee is thousand thousand dollars", [("amount", "1000 USD")]),
    ("en", "", "two thousand two thousand dollars", [("amount", "2000 USD")]),
    ("ar", "", "خمسة ألفين ريال", [("amount", "2000 SAR")]),
    ("en", "", "one point five thousand dollars", [("amount", "1500 USD")]),
    ("en", "", "one point five dollars", [("amount", "1.50 USD")]),
    ("en", "", "zero dollars", []),
    ("en", "", "i am mark from sales", [("name", "Mark")]),
    ("en", "", "i am mark", []),
    ("en", "", "this is mark of sales", []),
    ("en", "", "a dot @ x", []),
    ("en", "", "1" * 34 + "zzzzz", []),
    ("en", "", "T" + "z" * 33, []),
    ("en", "", "mail me: at x dot com", [("url", "x.com")]),
    ("en", "", "THIS IS Mark from sales", [("name", "Mark")]),
    ("en", "", "This is mark From sales", []),
]


@pytest.mark.parametrize(("language", "before", "text", "expected"), MORE)
def test_more(language: str, before: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert [(str(one.kind), one.value) for one in find(text, language, before)] == expected


def test_a_turn_of_nothing_but_digits_takes_no_time_from_other_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns are read where sound is moved: a caller who types 2,000 characters of digits gets a few looks."""
    looks = []
    monkeypatch.setattr(phones, "_valid", lambda digits, plus, regions: looks.append(digits) or "")
    rows = " x ".join(["3 1 4 1 5 9 2 6 5 3 5 8 9 7 9"] * 60)
    find(rows, "ar")
    assert 0 < len(looks) <= MOST_LOOKED_UP * phones._TRIES
    looks.clear()
    spans = list(phones._spans(next(iter(runs(tokens("7 " * 1_000))))))
    assert len(spans) == 1, "what is far too long for a phone number is not cut into parts"
    assert len(find("$1, " * 500)) == MOST
