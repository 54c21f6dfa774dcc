"""Measures turn gaps from two aligned tracks: the caller's last audible sample to the agent's first.

Works on sound alone, after the call; knows nothing of events, words or clocks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offhook.audio.g711 import Samples
from offhook.audio.level import amplitude

_HOP_MS = 5
_BRIDGE_MS = 150
"""A pause within a word or phrase; shorter ones do not part two spans."""
_SHORTEST_MS = 30
"""Loud sound that a span must hold; less is a click."""
_EDGE_MS = 200
"""How far quiet sound (a last consonant, not a breath) may reach beyond a span's loud part."""
_QUIETEST_DB = -60.0
_HOPS_AT_ONCE = 4096
_OVERLAP_MS = 500

Levels = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of speech on a track, in ms from its start."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Gap:
    """One reply. `gap_ms` is negative where the agent began up to 0.5 s before the caller had ended."""

    caller_ended_ms: int
    agent_started_ms: int
    gap_ms: int


@dataclass(frozen=True, slots=True)
class Turns:
    """What two tracks say about who spoke when."""

    caller: tuple[Span, ...]
    agent: tuple[Span, ...]
    gaps: tuple[Gap, ...]


def measure_turns(caller: Samples, agent: Samples, rate: int) -> Turns:
    """Speech spans and gaps of two aligned mono int16 tracks at `rate` Hz."""
    spans = speech_spans(caller, rate), speech_spans(agent, rate)
    return Turns(tuple(spans[0]), tuple(spans[1]), tuple(turn_gaps(*spans)))


def turn_gaps(caller: Sequence[Span], agent: Sequence[Span]) -> list[Gap]:
    """The gap before each reply: an agent's span that is the first after a caller's.

    A caller's sound within the agent's speech ("mm-hmm") is not answered by the agent's going on,
    so it makes no gap; neither does a greeting.
    """
    gaps: list[Gap] = []
    starts = [span.start_ms for span in caller]
    answered = -1
    for index, reply in enumerate(agent):
        asked = bisect_left(starts, reply.start_ms) - 1
        if asked <= answered:
            continue
        ended = caller[asked].end_ms
        if ended > reply.start_ms + _OVERLAP_MS:
            continue
        answered = asked
        if index and agent[index - 1].end_ms >= ended:
            continue
        gaps.append(Gap(ended, reply.start_ms, reply.start_ms - ended))
    return gaps


def speech_spans(samples: Samples, rate: int) -> list[Span]:
    """Stretches of speech, told from the noise floor by energy; edges within a few ms.

    Quiet sound that touches speech belongs to it for 200 ms at most, so a breath does not. Sound
    below −60 dBFS is never speech.
    """
    hop = max(1, rate * _HOP_MS // 1000)
    levels = _levels(samples, hop)
    bounds = _thresholds(levels)
    if bounds is None:
        return []
    quiet, loud = bounds
    clear = np.flatnonzero(levels >= loud)
    audible = _near(np.flatnonzero(levels >= quiet), clear, _EDGE_MS // _HOP_MS)
    spans: list[Span] = []
    for first, last in _runs(audible, _BRIDGE_MS // _HOP_MS):
        inside = np.searchsorted(clear, last, side="right") - np.searchsorted(clear, first)
        if inside < _SHORTEST_MS // _HOP_MS:
            continue
        start = first * hop + int(_audible(samples, first, hop, quiet)[0])
        end = last * hop + int(_audible(samples, last, hop, quiet)[-1]) + 1
        spans.append(Span(round(start * 1000 / rate), round(end * 1000 / rate)))
    return spans


def _levels(samples: Samples, hop: int) -> Levels:
    """dBFS of each whole hop, without the track's offset."""
    count = len(samples) // hop
    power = np.zeros(count)
    offset = np.float32(samples.mean()) if count else 0.0
    for at in range(0, count, _HOPS_AT_ONCE):
        piece = samples[at * hop : min(count, at + _HOPS_AT_ONCE) * hop].astype(np.float32)
        piece -= offset
        rows = piece.reshape(-1, hop)
        power[at : at + len(rows)] = np.einsum("ij,ij->i", rows, rows)
    power /= hop
    levels: Levels = 10 * np.log10(np.maximum(power, 0.25)) - 20 * np.log10(32768.0)
    return levels


def _thresholds(levels: Levels) -> tuple[float, float] | None:
    """Levels that a span's edge and its loud part must reach, or None where nobody speaks."""
    if not len(levels):
        return None
    floor = float(np.percentile(levels, 10))
    sound = levels[levels > max(min(floor + 6.0, -20.0), _QUIETEST_DB)]
    if not len(sound):
        return None
    speech = float(np.percentile(sound, 90))
    if speech < _QUIETEST_DB + 6.0:
        return None
    quiet = min(max(floor + 8.0, speech - 30.0, _QUIETEST_DB), speech - 10.0)
    return quiet, max(quiet + 3.0, speech - 20.0)


def _near(places: Places, others: Places, reach: int) -> Places:
    """The places that are at most `reach` from one of `others` (both ascending, `others` not empty)."""
    after = np.searchsorted(others, places)
    to_next = others[np.minimum(after, len(others) - 1)] - places
    to_last = places - others[np.maximum(after - 1, 0)]
    near: Places = places[np.minimum(np.abs(to_next), np.abs(to_last)) <= reach]
    return near


def _runs(places: Places, bridge: int) -> list[tuple[int, int]]:
    """First and last of each run of places (ascending, at least one), runs closer than `bridge` joined."""
    breaks = np.flatnonzero(np.diff(places) > bridge)
    firsts = places[np.concatenate(([0], breaks + 1))]
    lasts = places[np.concatenate((breaks, [len(places) - 1]))]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _audible(samples: Samples, index: int, hop: int, level: float) -> Places:
    """Places within hop `index` where a sample reaches `level`; all of them if none does."""
    piece = np.abs(samples[index * hop : (index + 1) * hop].astype(np.int32))
    places = np.flatnonzero(piece >= amplitude(level))
    return places if len(places) else np.arange(len(piece))
