"""Prints a call's figures as tables for people. Measures nothing."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table


def show(figures: dict[str, Any], console: Console) -> None:
    """The turns, then the totals."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("turn", "file", "caller", "agent"):
        table.add_column(name, overflow="fold")
    for name in ("gap ms", "clear ms", "stopped ms"):
        table.add_column(name, justify="right")
    greeting = figures["greeting"]
    table.add_row("0", "", "", _words(greeting.get("text")), _first(greeting["first_audio_ms"]), "", "")
    for index, turn in enumerate(figures["turns"], 1):
        table.add_row(
            str(index),
            turn["file"],
            _words(turn.get("caller_text")),
            _words(turn.get("agent_text")),
            *(_number(turn[name]) for name in ("gap_ms", "clear_after_ms", "stopped_after_ms")),
        )
    console.print(table)
    totals, media, levels = figures["totals"], figures["media"], figures["levels"]
    console.print(
        f"{figures['duration_ms'] / 1000:.1f} s, ended by the {figures['ended_by']}"
        f" · answered {totals['answered']} of {totals['turns']}"
        f" · gap p50 {_number(totals['gap_p50_ms'])} ms, p95 {_number(totals['gap_p95_ms'])} ms"
    )
    console.print(
        f"agent {levels['agent_dbfs']} dBFS · {media['messages']} media messages,"
        f" spacing p50 {_number(media['spacing_p50_ms'])} ms · {media['underruns']} underruns"
        f" ({media['underrun_ms']} ms) · {media['clears']} clears · {media['wrong_messages']} wrong messages"
    )
    if figures.get("transcripts"):
        console.print(f"no transcripts: {figures['transcripts']}")


def _words(text: str | None) -> str:
    return "–" if text is None else text


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)


def _first(value: int | None) -> str:
    return "–" if value is None else f"at {value}"
