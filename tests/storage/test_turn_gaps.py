"""Gaps find their turns, also where a stretch of the recording ends."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.audio.gaps import Gap, Span
from offhook.foundation.events import LegKind
from offhook.storage import gaps
from offhook.storage.base import TurnRecord
from offhook.storage.gaps import TurnGaps, append_spans, match_gaps


def reply(turn: int, start: int, leg: LegKind = LegKind.AGENT) -> TurnRecord:
    return TurnRecord("c", turn, leg, "x", start, start + 900)


def test_each_reply_takes_its_nearest_gap_and_no_stranger() -> None:
    found = [Gap(0, 1_000, 300), Gap(500, 1_900, 410), Gap(0, 9_000, 999), Gap(0, 4_010, 20)]
    assert match_gaps(found, [reply(1, 1_800), reply(2, 4_000)]) == {1: 410, 2: 20}
    assert match_gaps(found, []) == {}
    assert match_gaps([], [reply(1, 0)]) == {}


def test_a_span_across_a_border_stays_one() -> None:
    spans = [Span(0, 100), Span(9_000, 10_000)]
    append_spans(spans, [Span(100, 700), Span(900, 1_000)], 10_000)
    assert spans == [Span(0, 100), Span(9_000, 10_700), Span(10_900, 11_000)]
    append_spans(spans, [], 20_000)
    assert len(spans) == 3


@pytest.mark.parametrize("stretch", [16_000, 24_000, 300 * 16_000])
def test_gaps_do_not_depend_on_where_stretches_end(monkeypatch: pytest.MonkeyPatch, stretch: int) -> None:
    monkeypatch.setattr(gaps, "_STRETCH", stretch)
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(6 * 16_000) / 16_000)).astype(np.int16)
    stereo = np.zeros((6 * 16_000, 2), np.int16)
    for side, start, end in ((0, 0.5, 1.2), (1, 1.5, 2.6), (0, 3.1, 3.8), (1, 4.3, 5.2)):
        part = slice(int(start * 16_000), int(end * 16_000))
        stereo[part, side] = tone[part]
    measure = TurnGaps()
    for at in range(0, len(stereo), 8_000):
        measure.add(stereo[at : at + 8_000])
    turns = [reply(1, 600, LegKind.CALLER), reply(1, 1_480), reply(2, 4_250)]
    assert measure.by_turn(turns) == {1: pytest.approx(300, abs=6), 2: pytest.approx(500, abs=6)}
    assert TurnGaps().by_turn(turns) == {}
