"""Figures of a finished call, measured from its two tracks, as one JSON object. No I/O."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from offhook.audio import g711
from offhook.audio.frame import PHONE
from offhook.audio.g711 import Samples
from offhook.audio.gaps import Gap, Span, measure_turns
from offhook.audio.wav import write_wav
from offhook.cli.caller.audible import level_dbfs
from offhook.cli.caller.line import Line
from offhook.cli.caller.playout import PlayoutCounts
from offhook.cli.caller.script import Spoken

_CLEAR_WITHIN = PHONE.samples(3_000)
"""A clear later than this after the caller's onset is no answer to it."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """The call's sound on one timeline, µ-law at 8 kHz, both of the same length."""

    caller: bytes
    agent: bytes

    @classmethod
    def of(cls, line: Line) -> Tracks:
        """What was sent, and what was heard meanwhile."""
        return cls(bytes(line.caller), line.playout.heard(len(line.caller)))

    def wav(self) -> bytes:
        """Stereo PCM16: the caller left, the agent right."""
        return write_wav(np.column_stack(self.samples()), PHONE.rate)

    def samples(self) -> tuple[Samples, Samples]:
        return g711.decode_ulaw(self.caller), g711.decode_ulaw(self.agent)

    def answers(self, spoken: Sequence[Spoken]) -> list[bytes]:
        """The agent's sound in parts: before the first clip, then after each clip's begin."""
        bounds = [0, *(turn.at for turn in spoken), len(self.agent)]
        return [self.agent[a:b] for a, b in itertools.pairwise(bounds)]


def report(line: Line, tracks: Tracks, spoken: Sequence[Spoken]) -> dict[str, Any]:
    """Everything measured; times in ms of the call, levels in dBFS. Words are added by `add_words`."""
    measured = measure_turns(*tracks.samples(), PHONE.rate)
    bounds = [*(_ms(turn.at) for turn in spoken), _ms(len(tracks.caller))]
    greeting = [span for span in measured.agent if span.start_ms < bounds[0]]
    turns = [
        _turn(turn, bounds[index + 1], measured.agent, measured.gaps, line.playout.counts)
        for index, turn in enumerate(spoken)
    ]
    return {
        "duration_ms": _ms(len(tracks.caller)),
        "ended_by": "caller" if line.hung_up else "server",
        "close_code": line.close_code,
        "close_reason": line.close_reason,
        "greeting": {
            "first_audio_ms": greeting[0].start_ms if greeting else None,
            "ended_ms": greeting[-1].end_ms if greeting else None,
        },
        "turns": turns,
        "totals": _totals(turns),
        "levels": {"caller_dbfs": level_dbfs(tracks.caller), "agent_dbfs": level_dbfs(tracks.agent)},
        "media": _media(line),
    }


def add_words(figures: dict[str, Any], agent: Sequence[str | None], caller: Sequence[str | None]) -> None:
    """Put transcripts in: `agent` is the greeting, then an answer for each turn."""
    figures["greeting"]["text"] = agent[0]
    for turn, answer, words in zip(figures["turns"], agent[1:], caller, strict=True):
        turn["caller_text"], turn["agent_text"] = words, answer


def _ms(samples: int) -> int:
    return round(PHONE.ms(samples))


def _turn(
    turn: Spoken, end_ms: int, agent: Sequence[Span], gaps: Sequence[Gap], counts: PlayoutCounts
) -> dict[str, Any]:
    began, ended = _ms(turn.onset), _ms(turn.offset)
    own = [gap for gap in gaps if began <= gap.caller_ended_ms < end_ms]
    gap = own[-1] if own else None
    answer = [span for span in agent if gap is not None and gap.agent_started_ms <= span.start_ms < end_ms]
    talked_over = [span for span in agent if span.start_ms < began < span.end_ms]
    stopped = next((span.end_ms for span in talked_over), None)
    clear = next((at for at in counts.clears if turn.onset <= at < turn.onset + _CLEAR_WITHIN), None)
    return {
        "file": turn.clip.name,
        "caller_started_ms": began,
        "caller_ended_ms": ended,
        "answer_started_ms": gap.agent_started_ms if gap else None,
        "answer_ended_ms": answer[-1].end_ms if answer else None,
        "gap_ms": gap.gap_ms if gap else None,
        "interrupted": stopped is not None,
        "stopped_after_ms": stopped - began if stopped is not None else None,
        "clear_after_ms": _ms(clear - turn.onset) if clear is not None and stopped is not None else None,
    }


def _totals(turns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    gaps = [turn["gap_ms"] for turn in turns if turn["gap_ms"] is not None]
    clears = [turn["clear_after_ms"] for turn in turns if turn["clear_after_ms"] is not None]
    stops = [turn["stopped_after_ms"] for turn in turns if turn["stopped_after_ms"] is not None]
    return {
        "turns": len(turns),
        "answered": len(gaps),
        **_percentiles("gap", gaps),
        "interruptions": len(stops),
        **_percentiles("clear", clears),
        **_percentiles("stopped", stops),
    }


def _percentiles(name: str, values: Sequence[float]) -> dict[str, int | None]:
    """p50 and p95, interpolated linearly; None without values."""
    if not len(values):
        return {f"{name}_p50_ms": None, f"{name}_p95_ms": None}
    p50, p95 = np.percentile(values, (50, 95))
    return {f"{name}_p50_ms": round(float(p50)), f"{name}_p95_ms": round(float(p95))}


def _media(line: Line) -> dict[str, Any]:
    counts = line.playout.counts
    spacing = [PHONE.ms(b - a) for a, b in itertools.pairwise(counts.arrivals)]
    return {
        "messages": counts.messages,
        "received_ms": _ms(counts.received),
        **_percentiles("spacing", spacing),
        "underruns": counts.underruns,
        "underrun_ms": _ms(counts.underrun),
        "discarded_ms": _ms(counts.discarded),
        "clears": len(counts.clears),
        "cleared_ms": _ms(counts.cleared),
        "marks": counts.marks,
        "wrong_messages": len(line.faults.wire) + line.faults.binary,
        "wrong_message": line.faults.wire[0] if line.faults.wire else None,
        "own_latest_tick_ms": round(line.faults.latest_tick_ms, 1),
    }
