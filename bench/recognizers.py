"""Measures what Offhook adds to vendors' recognizers: the last words after the end of speech, the cost of a
window of audio on the media path, and a connection that dies just before the end. `--json FILE` keeps it.

Run it as `python bench/recognizers.py`. The vendors are the tests' fakes on loopback, which answer at once;
a real vendor's own time comes on top.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import sys
import time
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.fakes.tone_words import speak
from tests.speech.stt.hosted_vendors import CASES, WINDOW_MS, Case, Stage, staged

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat

ORDER = "i would like to book a table"
LEGS = {"phone": PHONE, "browser": WIDEBAND}
ROUNDS = 20
PUSHES = 3_000


async def last_words(stage: Stage) -> list[float]:
    """Milliseconds from `finish` to its words. Flux answers from what it tells while silence goes on."""
    took = []
    for _ in range(ROUNDS):
        stage.recognizer.begin()
        await stage.push(speak(ORDER, stage.format, 160))
        await stage.settled()
        await asyncio.sleep(0.02)
        began = time.perf_counter()
        waiting = asyncio.create_task(stage.recognizer.finish())
        while stage.case.name == "flux" and not waiting.done():
            stage.recognizer.push(stage.format.silence(stage.format.samples(WINDOW_MS)))
            await asyncio.wait((waiting,), timeout=WINDOW_MS / 1000)
        assert (await waiting).text == ORDER
        took.append((time.perf_counter() - began) * 1000)
        stage.recognizer.drop()
    return took


async def pushes(stage: Stage) -> list[float]:
    """Microseconds of each window pushed."""
    sound = speak(ORDER, stage.format)[: stage.format.size(WINDOW_MS)]
    took = []
    for number in range(PUSHES):
        if number % 200 == 0:
            stage.recognizer.begin()
        began = time.perf_counter()
        stage.recognizer.push(sound)
        took.append((time.perf_counter() - began) * 1e6)
        await asyncio.sleep(0)
    return took


async def after_a_cut(case: Case) -> list[float]:
    """Milliseconds from `finish` to all words, when the connection died 1 s into the utterance."""
    took = []
    for _ in range(ROUNDS // 2):
        async with staged(case, cut_after_ms=1_000) as stage:
            await stage.connected()
            stage.recognizer.begin()
            await stage.push(speak(ORDER, PHONE, 160))
            began = time.perf_counter()
            assert (await stage.recognizer.finish()).text == ORDER
            took.append((time.perf_counter() - began) * 1000)
    return took


async def row(case: Case, format: AudioFormat) -> dict[str, float]:
    async with staged(case, format) as stage:
        words = await last_words(stage)
        costs = await pushes(stage)
    return {
        "words_ms": round(statistics.median(words), 1),
        "words_max_ms": round(max(words), 1),
        "push_us": round(statistics.median(costs), 1),
        "push_mean_us": round(statistics.mean(costs), 1),
        "push_p99_us": round(sorted(costs)[PUSHES * 99 // 100], 1),
    }


async def measured() -> dict[str, dict[str, float]]:
    rows = {}
    for name, case in CASES.items():
        for leg, format in LEGS.items():
            rows[f"{name} {leg}"] = await row(case, format)
        cuts = await after_a_cut(case)
        rows[f"{name} phone"] |= {"cut_ms": round(statistics.median(cuts)), "cut_max_ms": round(max(cuts))}
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows = asyncio.run(measured())
    table = Table("recognizer, leg", "words ms", "max", "push µs", "mean", "p99", "after a cut ms", "max")
    for name, found in rows.items():
        figures = (
            "words_ms",
            "words_max_ms",
            "push_us",
            "push_mean_us",
            "push_p99_us",
            "cut_ms",
            "cut_max_ms",
        )
        table.add_row(name, *(str(found.get(figure, "")) for figure in figures))
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
