"""Writes a call's turns as JSON, as plain text and as WebVTT. Pure: turns in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from offhook.foundation.events import LegKind
from offhook.storage.base import TurnRecord

_SPEAKERS = {
    LegKind.CALLER: "Caller",
    LegKind.GUEST: "Guest",
    LegKind.AGENT: "Agent",
    LegKind.OPERATOR: "Operator",
    LegKind.SUPERVISOR: "Supervisor",
    LegKind.COACH: "Coach",
}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\x00": None})
_CUT = " —"
"""Ends what was cut off by an interruption."""


def transcript_json(call_id: str, turns: Sequence[TurnRecord]) -> dict[str, Any]:
    """`{"call_id", "turns": [...]}`, each turn with all of its fields but the call id, as JSON takes them."""
    rows = [{**asdict(turn), "leg": str(turn.leg)} for turn in _in_order(turns)]
    for row in rows:
        del row["call_id"]
    return {"call_id": call_id, "turns": rows}


def transcript_text(turns: Sequence[TurnRecord]) -> str:
    """A line per turn that has words: `[00:01] Caller: Hello`. Empty without any."""
    lines = (
        f"[{_minutes(turn.started_ms)}] {_SPEAKERS[turn.leg]}: {_words(turn)}\n"
        for turn in _in_order(turns)
        if _one_line(turn.text)
    )
    return "".join(lines)


def transcript_vtt(turns: Sequence[TurnRecord]) -> str:
    """A cue per turn that has words, its speaker in a voice tag. Starts never go back, no cue is empty."""
    parts = ["WEBVTT\n"]
    last = 0
    for turn in _in_order(turns):
        if not _one_line(turn.text):
            continue
        start = last = max(turn.started_ms, last)
        end = max(turn.ended_ms, start + 1)
        voice = f"<v {_SPEAKERS[turn.leg]}>{_words(turn).translate(_ESCAPES)}</v>"
        parts.append(f"\n{_stamp(start)} --> {_stamp(end)}\n{voice}\n")
    return "".join(parts)


def _in_order(turns: Sequence[TurnRecord]) -> list[TurnRecord]:
    return sorted(turns, key=lambda turn: (turn.started_ms, turn.turn))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _words(turn: TurnRecord) -> str:
    return _one_line(turn.text) + (_CUT if turn.interrupted else "")


def _minutes(ms: int) -> str:
    minutes, seconds = divmod(max(ms, 0) // 1000, 60)
    return f"{minutes:02}:{seconds:02}"


def _stamp(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"
