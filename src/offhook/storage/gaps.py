"""Gives each of the agent's turns its gap, measured from the recording while it is sealed. No files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from offhook.audio.g711 import Samples
from offhook.audio.gaps import Gap, Span, speech_spans, turn_gaps
from offhook.foundation.events import LegKind
from offhook.storage.base import TurnRecord
from offhook.storage.track import RATE

_STRETCH = 300 * RATE
"""Samples measured at once: the memory that it takes must not grow with the call."""
_JOIN_MS = 150
_NEAREST_MS = 1500
"""How far a turn's start, as the session knew it, may be from the sound's."""


class TurnGaps:
    """Feeds on stereo samples [n, 2] of 16 kHz: the caller left, who answers right."""

    def __init__(self) -> None:
        self._pieces: list[Samples] = []
        self._held = 0
        self._done = 0
        self._spans: tuple[list[Span], list[Span]] = ([], [])

    def add(self, stereo: Samples) -> None:
        self._pieces.append(stereo)
        self._held += len(stereo)
        if self._held >= _STRETCH:
            self._measure()

    def by_turn(self, turns: Sequence[TurnRecord]) -> dict[int, int]:
        """The gap in ms of each agent's turn that begins where the recording shows a reply."""
        self._measure()
        replies = [turn for turn in turns if turn.leg is LegKind.AGENT]
        return match_gaps(turn_gaps(*self._spans), replies)

    def _measure(self) -> None:
        if not self._held:
            return
        stereo: Samples = np.concatenate(self._pieces)
        start_ms = self._done * 1000 // RATE
        for side, spans in enumerate(self._spans):
            append_spans(spans, speech_spans(np.ascontiguousarray(stereo[:, side]), RATE), start_ms)
        self._done += self._held
        self._pieces, self._held = [], 0


def append_spans(spans: list[Span], found: Iterable[Span], start_ms: int) -> None:
    """Add the spans of the next stretch; one that goes on across the border stays one."""
    for span in found:
        first, last = span.start_ms + start_ms, span.end_ms + start_ms
        if spans and first - spans[-1].end_ms <= _JOIN_MS:
            first = spans.pop().start_ms
        spans.append(Span(first, last))


def match_gaps(gaps: Sequence[Gap], replies: Sequence[TurnRecord]) -> dict[int, int]:
    """Each gap goes to the reply that begins nearest to it, each reply takes its nearest gap."""
    nearest: dict[int, tuple[int, int]] = {}
    for gap in gaps:
        reply = min(replies, key=lambda turn: abs(turn.started_ms - gap.agent_started_ms), default=None)
        if reply is None:
            break
        distance = abs(reply.started_ms - gap.agent_started_ms)
        if distance <= _NEAREST_MS:
            nearest[reply.turn] = min((distance, gap.gap_ms), nearest.get(reply.turn, (distance, gap.gap_ms)))
    return {turn: gap_ms for turn, (_, gap_ms) in nearest.items()}
