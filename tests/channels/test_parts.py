"""The parts of sockets: buckets, valves, the watch, the outbox, and what a caller's screen shows."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.channels.bounds import MediaTime, TokenBucket, Valve
from offhook.channels.outbox import Outbox
from offhook.channels.screen import show
from offhook.channels.watch import Watch
from offhook.foundation.events import (
    CallEnded,
    DigitPressed,
    EndReason,
    Floor,
    FloorChanged,
    LegKind,
    Notice,
    ReplyText,
    TranscriptFinal,
    TranscriptPartial,
    TurnTimed,
)


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=300))
def test_a_bucket_never_lets_more_through_than_its_burst_and_rate(gaps: list[float]) -> None:
    bucket, now, passed = TokenBucket(10, 5), 100.0, 0
    for gap in gaps:
        now += gap
        passed += bucket.take(now)
    assert passed <= 5 + 10 * sum(gaps) + 1e-6
    assert passed >= min(len(gaps), 5)


def test_what_does_not_pass_costs_nothing() -> None:
    bucket = TokenBucket(1, 3)
    assert not bucket.take(0.0, 4)
    assert bucket.take(0.0, 3)
    assert not bucket.take(0.5)
    assert bucket.take(1.5)


def run(valve: Valve, rate: float, seconds: float, start: float = 0.0) -> int:
    """Messages at a rate; how many passed."""
    return sum(valve.admit(start + number / rate) for number in range(int(rate * seconds)))


def test_a_little_too_fast_is_thinned_for_ever_and_never_a_flood() -> None:
    valve = Valve(60, 100)
    passed = run(valve, 66, 120)
    assert passed == pytest.approx(60 * 120 + 100, abs=70)
    assert not valve.flooding


def test_far_too_fast_is_a_flood() -> None:
    valve = Valve(60, 100)
    run(valve, 500, 0.7)
    assert not valve.flooding
    run(valve, 500, 0.3, 0.7)
    assert valve.flooding


def test_a_peers_clock_is_believed_while_it_keeps_to_real_time() -> None:
    time = MediaTime()
    assert [time.place(7_000 + at, 50 + at / 1000) for at in (0, 20, 5_000)] == [7_000, 7_020, 12_000]
    assert time.place(12_020, 60.0) == 12_020  # 5 s late: a stall
    assert time.place(22_000, 60.1) == 22_000  # 5 s early: a burst


@given(st.lists(st.tuples(st.integers(0, 10**16), st.floats(0, 1)), min_size=1, max_size=50))
def test_a_wild_clock_never_leaves_real_time(steps: list[tuple[int, float]]) -> None:
    time, now, first = MediaTime(), 100.0, steps[0][0]
    begun = now + steps[0][1]
    for at_ms, gap in steps:
        now += gap
        assert abs(time.place(at_ms, now) - first - (now - begun) * 1000) <= MediaTime.SLACK_MS + 1


def test_after_a_jump_time_goes_on_evenly() -> None:
    time = MediaTime()
    time.place(0, 10.0)
    assert [time.place(90_000 + at, 11.0 + at / 1000) for at in (0, 20, 40)] == [1_000, 1_020, 1_040]


class Counting:
    def __init__(self, fails: bool = False) -> None:
        self.checks, self.fails = 0, fails

    def check(self) -> None:
        self.checks += 1
        if self.fails:
            raise ValueError("a fault of our own")


async def test_the_watch_looks_at_all_and_stops_when_there_is_nobody(caplog: Any) -> None:
    watch, good, bad = Watch(0.01), Counting(), Counting(fails=True)
    assert watch.checks(0.001) == 1
    assert watch.checks(0.05) == 5
    watch.add(bad)
    watch.add(good)
    with caplog.at_level(logging.ERROR):
        while good.checks < 3:
            await asyncio.sleep(0.005)
    assert bad.checks >= 3
    assert "a socket's check failed" in caplog.text
    watch.remove(bad)
    watch.remove(good)
    watch.remove(good)
    assert len(watch) == 0
    done = good.checks
    await asyncio.sleep(0.03)
    assert good.checks == done


def test_an_outbox_keeps_order_words_and_the_newest_audio() -> None:
    sent: list[bytes] = []
    box = Outbox(lambda raw, binary: sent.append(raw), audio_bytes=6, words=2)
    box.audio(b"a1")
    box.words(b"w1")
    box.level(b"l1")
    box.pause()
    for number in range(2, 6):
        box.audio(b"a%d" % number)
    box.words(b"w2")
    box.level(b"l2")
    box.audio(b"a6")
    box.words(b"w3")
    assert not box.overflowed
    box.words(b"w4")
    assert box.overflowed
    assert sent == [b"a1", b"w1", b"l1"]
    box.resume()
    assert sent[3:] == [b"a4", b"a5", b"w2", b"a6", b"w3"]
    assert box.dropped == 3
    assert not box.overflowed


def test_an_outbox_may_be_paused_while_it_empties() -> None:
    sent: list[bytes] = []

    def send(raw: bytes, binary: bool) -> None:
        sent.append(raw)
        box.pause()

    box = Outbox(send, audio_bytes=100)
    box.pause()
    for raw in (b"a", b"b"):
        box.audio(raw)
    box.resume()
    assert sent == [b"a"]
    box.words(b"w")
    box.drain()
    assert sent == [b"a", b"b", b"w"]
    box.audio(b"c")
    box.drop_audio()
    box.resume()
    assert sent == [b"a", b"b", b"w"]


CALLER, AGENT = LegKind.CALLER, LegKind.AGENT
TIMES = {"endpoint_ms": 300, "transcript_ms": 360, "first_token_ms": 365, "first_audio_ms": 390}


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (FloorChanged(Floor.THINKING), {"type": "state", "state": "thinking"}),
        (FloorChanged(Floor.ENDED), None),
        (
            TranscriptPartial(CALLER, 3, "hel"),
            {"type": "transcript", "speaker": "caller", "turn": 3, "text": "hel", "final": False},
        ),
        (
            ReplyText(3, "Sure."),
            {"type": "transcript", "speaker": "agent", "turn": 3, "text": "Sure.", "final": False},
        ),
        (
            TranscriptFinal(AGENT, 3, "Su", 0, 1, interrupted=True, unheard="re."),
            {
                "type": "transcript",
                "speaker": "agent",
                "turn": 3,
                "text": "Su",
                "final": True,
                "interrupted": True,
                "unheard": "re.",
            },
        ),
        (TurnTimed(3, 1000, 300, 360, 365, 390), {"type": "latency", "turn": 3, **TIMES}),
        (Notice("not recorded"), {"type": "notice", "text": "not recorded"}),
        (CallEnded(EndReason.NO_INPUT), {"type": "ended", "reason": "no_input"}),
        (TranscriptPartial(LegKind.COACH, 1, "x"), None),
        (TranscriptFinal(LegKind.COACH, 1, "x", 0, 1), None),
        (TranscriptFinal(LegKind.OPERATOR, 1, "x", 0, 1), None),
        (DigitPressed("1"), None),
    ],
)
def test_what_a_callers_screen_shows(event: Any, shown: dict[str, Any] | None) -> None:
    raw = show(event)
    if shown is None:
        assert raw is None
        return
    assert raw is not None
    if shown["type"] == "transcript":
        shown = {"interrupted": False, "unheard": "", **shown}
    assert json.loads(raw) == shown
