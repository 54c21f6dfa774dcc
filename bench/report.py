"""Writes results of load runs: tables for the terminal, tables and a plot for docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from plot import Series, plot

Json = dict[str, Any]
HEAD = (
    "calls",
    "answered",
    "latency p50 / p95 / p99 ms",
    "interruption → clear p50 / p95 ms",
    "spacing p99 ms",
    "underruns",
    "CPU-s per call-minute",
    "core",
    "MB per call",
    "loader late p99 ms",
    "others' core",
)
LIVEKIT_HEAD = ("config", "calls", "CPU-s per call-minute", "RSS MB", "latency p50 / p95 / p99 ms", "missed")
VOID_LATE_MS = 5.0
BEGIN, END = "<!-- load: written by bench/run.py --docs -->", "<!-- load: end -->"


def read(folder: Path) -> dict[str, list[Json]]:
    """Results by label, each in order of N."""
    found: dict[str, list[Json]] = {}
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text())
        if "label" in result and ("turns" in result):
            found.setdefault(result["label"], []).append(result)
    return {label: sorted(runs, key=_calls) for label, runs in sorted(found.items(), key=_ours_first)}


def _ours_first(item: tuple[str, list[Json]]) -> tuple[bool, str]:
    return item[0] != "offhook", item[0]


def _calls(result: Json) -> int:
    return int(result.get("calls", result.get("n", 0)))


def row(result: Json) -> tuple[str, ...]:
    """The cells of HEAD."""
    latency, clear = result["latency_ms"], result["interruption"]["latency_ms"]
    pacing, server, loader = result["pacing"], result["server"], result["loader"]
    share = result["turns"]["answered_share"]
    late = loader["late_ms"].get("p99", 0.0)
    return (
        str(result["calls"]),
        "–" if share is None else f"{share:.1%}",
        _joined(latency, "p50", "p95", "p99"),
        _joined(clear, "p50", "p95"),
        _joined(pacing["gap_ms"], "p99"),
        str(pacing["underruns"]),
        f"{server['cpu_s_per_call_minute']:.3f}",
        f"{server['core_share']:.0%}",
        f"{server['rss_mb_per_call']:.2f}",
        f"{late:.1f}" + (" (void)" if late > VOID_LATE_MS else ""),
        f"{max(0.0, result['other_processes_core_share']):.2f}",
    )


def livekit_row(result: Json) -> tuple[str, ...]:
    """The cells of LIVEKIT_HEAD, from what its script prints."""
    return (
        result["config"],
        str(result["n"]),
        f"{result['cpu_s_per_call_min']:.2f}",
        f"{result['rss_mb']:.0f}",
        " / ".join(f"{value:.0f}" for value in result["latency_ms_p50_p95_p99"] or ()) or "–",
        f"{result['missed']} of {result['turns']}",
    )


def _joined(figures: Json, *names: str) -> str:
    return " / ".join("–" if figures.get(name) is None else f"{figures[name]:.0f}" for name in names)


def show(folder: Path) -> None:
    """For the terminal."""
    console = Console()
    for label, runs in read(folder).items():
        peer = label.startswith("livekit")
        table = Table(title=label, box=None, pad_edge=False)
        for name in LIVEKIT_HEAD if peer else HEAD:
            table.add_column(name, justify="right")
        for run in runs:
            table.add_row(*(livekit_row(run) if peer else row(run)))
        (console if console.is_terminal else Console(width=160)).print(table)


def write_page(folder: Path, docs: Path) -> None:
    """The part of docs/benchmarks.md between its marks, and the plot beside it."""
    results = read(folder)
    series = [
        Series(label, [(run["calls"], run["latency_ms"].get("p95")) for run in runs])
        for label, runs in results.items()
        if not label.startswith("livekit")
    ]
    title, axes = "Turn latency p95 over simultaneous calls on one core", ("calls", "ms")
    (docs / "benchmarks-load.svg").write_text(plot(title, axes, series))
    page = docs / "benchmarks.md"
    text = page.read_text()
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{page} has no place for the figures: {BEGIN} … {END}")
    part = "\n\n".join((BEGIN, _machine(), *map(_section, results.items()), _picture(), END))
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    page.write_text(pattern.sub(lambda _: part, text))


def _picture() -> str:
    return "![p95 of turn latency over simultaneous calls](benchmarks-load.svg)"


NAMES = {"offhook": "Offhook", "pipecat": "Pipecat", "livekit": "LiveKit Agents"}


def _machine() -> str:
    day = datetime.now(UTC).date().isoformat()
    where = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}"
    return (
        f"{day}; {where}; Python {platform.python_version()}. The server had one core, the callers another."
    )


def _section(item: tuple[str, list[Json]]) -> str:
    label, runs = item
    peer = label.startswith("livekit")
    head = LIVEKIT_HEAD if peer else HEAD
    name = label.partition(",")[0]
    lines = [f"### {label.replace(name, NAMES[name], 1)}", "", _line(head), _line(["---:"] * len(head))]
    return "\n".join(lines + [_line(livekit_row(run) if peer else row(run)) for run in runs])


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
