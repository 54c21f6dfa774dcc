"""Turns what a run saw into figures: one JSON object, with the keys that all our load runs have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from load.caller import Turn
from load.generator import Run

_MB = 2**20
_CLEAR_GRACE = 0.5
"""A clear this long after the end of an interruption is no answer to it any more."""
Json = dict[str, Any]


def summary(values: Sequence[float], digits: int = 1) -> Json:
    """Seconds in; count, mean and percentiles by nearest rank in ms out."""
    if not values:
        return {"n": 0}
    ordered = sorted(values)

    def ms(value: float) -> float:
        return round(value * 1000, digits)

    def rank(share: float) -> float:
        return ms(ordered[min(len(ordered) - 1, int(share * len(ordered)))])

    figures: Json = {"n": len(ordered), "mean": ms(sum(ordered) / len(ordered)), "min": ms(ordered[0])}
    figures |= {f"p{percent}": rank(percent / 100) for percent in (50, 95, 99)}
    return figures | {"max": ms(ordered[-1])}


@dataclass(slots=True)
class Answers:
    """What became of the turns that lie in the window."""

    offered: int = 0
    early: int = 0
    latencies: list[float] = field(default_factory=list)
    interruptions: int = 0
    clears: list[float] = field(default_factory=list)
    leftovers: list[float] = field(default_factory=list)

    def count(self, turn: Turn, timeout: float) -> None:
        self.offered += 1
        if turn.early:
            self.early += 1
        elif turn.answered and turn.answered - turn.ended <= timeout:
            self.latencies.append(turn.answered - turn.ended)
        if turn.over_reply:
            self.interruptions += 1
            if turn.cleared and turn.cleared < turn.ended + _CLEAR_GRACE:
                self.clears.append(turn.cleared - turn.onset)
                self.leftovers.append(turn.leftover)


def figures(run: Run) -> Json:
    """The whole result of a run."""
    plan, opened, closed = run.plan, run.readings[2], run.readings[3]
    answers = Answers()
    for caller in run.callers:
        for turn in caller.turns:
            if opened.at <= turn.onset and turn.ended <= closed.at - plan.answer_timeout:
                answers.count(turn, plan.answer_timeout)
    offered, latencies = answers.offered, answers.latencies
    greetings = [caller.greeted - caller.began for caller in run.callers if caller.greeted]
    return {
        "url": plan.url,
        "calls": plan.calls,
        "seconds": round(closed.at - opened.at, 2),
        "label": plan.label,
        "silence_only": not plan.speak,
        "calls_up": len(run.callers),
        "calls_alive_at_end": run.alive,
        "calls_failed": run.errors.total(),
        "calls_dropped": len(run.callers) - run.alive,
        "errors": dict(run.errors),
        "turns": {
            "offered": offered,
            "answered": len(latencies),
            "premature": answers.early,
            "answered_share": round(len(latencies) / offered, 4) if offered else None,
        },
        "latency_ms": summary(latencies),
        "greeting_ms": summary(greetings),
        "interruption": {
            "offered": answers.interruptions,
            "cleared": len(answers.clears),
            "latency_ms": summary(answers.clears),
            "old_audio_after_clear_ms": summary(answers.leftovers),
        },
        "pacing": _pacing(run),
        "connect_ms": summary(run.connects),
        "server": _server(run),
        "loader": _loader(run),
        "other_processes_core_share": _others(run),
        "each_latency_ms": [round(value * 1000) for value in latencies],
        "each_clear_ms": [round(value * 1000) for value in answers.clears],
    }


def _pacing(run: Run) -> Json:
    """Stretches without audio are shortened by what this process itself slept through in them."""
    pacing, dry = run.pacing, []
    for number, since, until in pacing.dry:
        own = sum(max(0.0, min(until, b) - max(since, a)) for a, b in run.stalls)
        dry.append((number, until - since - own))
    under = [(number, seconds) for number, seconds in dry if seconds > run.plan.underrun]
    return {
        "replies": pacing.replies,
        "messages": len(pacing.sizes),
        "gap_ms": summary(pacing.gaps),
        "audio_per_message_ms": summary(pacing.sizes),
        "max_ahead_of_real_time_ms": round(pacing.ahead * 1000),
        "underruns": len(under),
        "underrun_calls": len({number for number, _ in under}),
        "max_dry_ms": round(max((seconds for _, seconds in dry), default=0) * 1000, 1),
        "dry_ms_total": round(sum(seconds for _, seconds in dry) * 1000, 1),
    }


def _server(run: Run) -> Json | None:
    before, up, opened, closed, after = (reading.server for reading in run.readings)
    if not before.threads:
        return None
    wall = run.readings[3].at - run.readings[2].at
    calls = max(1, len(run.callers))
    cpu = closed.cpu - opened.cpu
    return {
        "core_share": round(cpu / wall, 4),
        "cpu_s_per_call_minute": round(cpu / (wall / 60 * calls), 4),
        "setup_cpu_ms_per_call": round((up.cpu - before.cpu) / run.plan.calls * 1000, 1),
        "ramp_s": round(run.readings[1].at - run.readings[0].at, 2),
        "rss_mb_before": round(before.resident / _MB, 1),
        "rss_mb_peak": round(run.peak / _MB, 1),
        "rss_mb_after": round(after.resident / _MB, 1),
        "rss_mb_per_call": round((run.peak - before.resident) / _MB / calls, 2),
        "threads_before": before.threads,
        "threads": closed.threads,
        "threads_after": after.threads,
    }


def _loader(run: Run) -> Json:
    opened, closed = run.readings[2], run.readings[3]
    return {
        "late_ms": summary(run.lates, digits=2),
        "core_share": round((closed.own - opened.own) / (closed.at - opened.at), 4),
        "stalls_at_s": [[round(a - opened.at, 2), round((b - a) * 1000)] for a, b in run.stalls],
    }


def _others(run: Run) -> float:
    opened, closed = run.readings[2], run.readings[3]
    ours = closed.own - opened.own + closed.server.cpu - opened.server.cpu
    return round((closed.machine - opened.machine - ours) / (closed.at - opened.at), 4)


def line(result: Json) -> str:
    """One line for people."""
    latency, clear = result["latency_ms"], result["interruption"]["latency_ms"]
    server, loader = result["server"] or {}, result["loader"]
    return (
        f"N={result['calls']}: answered {result['turns']['answered']}/{result['turns']['offered']},"
        f" latency p50/p95/p99 {latency.get('p50')}/{latency.get('p95')}/{latency.get('p99')} ms,"
        f" clear p50/p95 {clear.get('p50')}/{clear.get('p95')} ms, underruns {result['pacing']['underruns']},"
        f" {server.get('core_share')} core, {server.get('cpu_s_per_call_minute')} CPU-s per call-minute,"
        f" {server.get('rss_mb_per_call')} MB per call; loader late p99 {loader['late_ms'].get('p99')} ms,"
        f" {loader['core_share']} core; others {result['other_processes_core_share']} core;"
        f" failed {result['calls_failed']}, dropped {result['calls_dropped']}"
    )
