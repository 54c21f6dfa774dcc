"""Transcripts as JSON, text and WebVTT: order, escaping, times."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.events import LegKind
from offhook.storage.base import TurnRecord
from offhook.storage.transcripts import transcript_json, transcript_text, transcript_vtt


def turn(number: int, leg: LegKind, text: str, start: int, end: int, **more: Any) -> TurnRecord:
    return TurnRecord("call_x", number, leg, text, start, end, **more)


TALK = [
    turn(2, LegKind.AGENT, "Yes,\n tomorrow & <b>", 61_500, 63_000, interrupted=True, unheard="at ten"),
    turn(1, LegKind.CALLER, "Are you open?", 1_234, 2_000, language="en"),
    turn(3, LegKind.CALLER, "  ", 70_000, 70_000),
]


def test_text_has_a_line_per_spoken_turn_in_order() -> None:
    assert transcript_text(TALK) == ("[00:01] Caller: Are you open?\n[01:01] Agent: Yes, tomorrow & <b> —\n")
    assert transcript_text([]) == ""


def test_json_keeps_every_field_and_is_plain() -> None:
    found = json.loads(json.dumps(transcript_json("call_x", TALK)))
    assert found["call_id"] == "call_x"
    assert [row["turn"] for row in found["turns"]] == [1, 2, 3]
    assert found["turns"][1] == {
        "turn": 2,
        "leg": "agent",
        "text": "Yes,\n tomorrow & <b>",
        "started_ms": 61_500,
        "ended_ms": 63_000,
        "language": "",
        "interrupted": True,
        "unheard": "at ten",
        "waterfall": None,
        "gap_ms": None,
    }


def test_vtt_is_escaped_and_timed() -> None:
    assert transcript_vtt(TALK) == (
        "WEBVTT\n"
        "\n00:00:01.234 --> 00:00:02.000\n<v Caller>Are you open?</v>\n"
        "\n00:01:01.500 --> 00:01:03.000\n<v Agent>Yes, tomorrow &amp; &lt;b&gt; —</v>\n"
    )
    assert transcript_vtt([]) == "WEBVTT\n"


def test_vtt_times_past_an_hour_and_before_the_answer() -> None:
    odd = [turn(1, LegKind.COACH, "a --> b", -5, -1), turn(2, LegKind.OPERATOR, "late", 3_600_001, 0)]
    found = transcript_vtt(odd)
    assert "00:00:00.000 --> 00:00:00.001\n<v Coach>a --&gt; b</v>" in found
    assert "01:00:00.001 --> 01:00:00.002\n<v Operator>late</v>" in found


TURNS = st.lists(
    st.builds(
        TurnRecord,
        call_id=st.just("c"),
        turn=st.integers(0, 50),
        leg=st.sampled_from(LegKind),
        text=st.text(max_size=30),
        started_ms=st.integers(-10, 10_000_000),
        ended_ms=st.integers(-10, 10_000_000),
        interrupted=st.booleans(),
    ),
    max_size=8,
)
CUE = re.compile(r"(\d{2,}):(\d\d):(\d\d)\.(\d{3}) --> (\d{2,}):(\d\d):(\d\d)\.(\d{3})\Z")


@given(TURNS)
def test_any_turns_make_a_well_formed_vtt(turns: list[TurnRecord]) -> None:
    blocks = transcript_vtt(turns).removesuffix("\n").split("\n\n")
    assert blocks[0].strip() == "WEBVTT"
    last = 0
    for block in blocks[1:]:
        timing, payload = block.split("\n")
        cue = CUE.match(timing)
        assert cue is not None
        h, m, s, ms, *end = map(int, cue.groups())
        start = ((h * 60 + m) * 60 + s) * 1000 + ms
        stop = ((end[0] * 60 + end[1]) * 60 + end[2]) * 1000 + end[3]
        assert last <= start < stop
        last = start
        assert re.fullmatch(r"<v \w+>[^<>]*</v>", payload)
        assert "\x00" not in payload
