"""Precision and recall of the entities, by type, on the labelled turns; and what a turn costs.

Usage: python bench/entities.py [--all]. Without --all only the turns that the recognizers were not tuned on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from offhook.desk.entities.find import find, warm

SETS = Path(__file__).resolve().parent.parent / "tests" / "desk"
ROUNDS = 20


def rows_of(names: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for name in names for line in (SETS / name).read_text("utf-8").splitlines()]


def count(rows: list[dict[str, Any]]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Right, missed and false, by type."""
    right: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for row in rows:
        said = find(row["text"], row["language"], row.get("before", ""))
        found = Counter((str(one.kind), one.value) for one in said)
        wanted = Counter((kind, value) for kind, value in row["entities"])
        for total, part in ((right, found & wanted), (missed, wanted - found), (false, found - wanted)):
            total.update(kind for kind, _ in part.elements())
    return right, missed, false


def table(rows: list[dict[str, Any]]) -> None:
    right, missed, false = count(rows)
    print(f"{'type':14} {'right':>5} {'missed':>6} {'false':>5} {'precision':>9} {'recall':>6}")
    for kind in [*sorted(right | missed | false), "all"]:
        good, gone, wrong = (part.total() if kind == "all" else part[kind] for part in (right, missed, false))
        precision = good / (good + wrong) if good + wrong else 1.0
        recall = good / (good + gone) if good + gone else 1.0
        print(f"{kind:14} {good:5} {gone:6} {wrong:5} {precision:9.3f} {recall:6.3f}")


def costs(rows: list[dict[str, Any]]) -> None:
    began = time.perf_counter()
    warm()
    print(f"warming up {1000 * (time.perf_counter() - began):.0f} ms")
    times = []
    for _ in range(ROUNDS):
        for row in rows:
            began = time.thread_time()
            find(row["text"], row["language"], row.get("before", ""))
            times.append(1e6 * (time.thread_time() - began))
    cuts = statistics.quantiles(times, n=100)
    print(f"CPU of a turn: p50 {cuts[49]:.0f} µs, p95 {cuts[94]:.0f} µs, p99 {cuts[98]:.0f} µs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="also the turns that it was tuned on")
    names = ["entities_heldout.jsonl", "entities_heldout_2.jsonl"]
    if parser.parse_args().all:
        names.append("entities_tuning.jsonl")
    rows = rows_of(names)
    languages = Counter(row["language"] for row in rows)
    print(f"{len(rows)} turns: {dict(languages)}")
    table(rows)
    costs(rows)


if __name__ == "__main__":
    main()
