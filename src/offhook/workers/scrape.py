"""Puts the metrics of all workers into one text, each sample with its worker's label. Asks nobody itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SAMPLE = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? (\S.*)\Z")


def merge(texts: Mapping[int, str], up: Mapping[int, bool], restarts: Mapping[int, int]) -> str:
    """Prometheus' text format of every worker in one, the families together. A worker that gave no text
    shows by `offhook_worker_up` 0; `restarts` counts how often each was started again."""
    about: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for worker in sorted(texts):
        _collect(texts[worker], worker, about, samples)
    lines = []
    for family, head in about.items():
        lines += [*head, *samples.get(family, ())]
    lines += [
        "# HELP offhook_worker_up Whether a worker answered this scrape.",
        "# TYPE offhook_worker_up gauge",
    ]
    lines += [f'offhook_worker_up{{worker="{worker}"}} {int(value)}' for worker, value in sorted(up.items())]
    lines += ["# HELP offhook_worker_restarts_total How often a worker was started again."]
    lines += ["# TYPE offhook_worker_restarts_total counter"]
    lines += [f'offhook_worker_restarts_total{{worker="{w}"}} {n}' for w, n in sorted(restarts.items())]
    return "\n".join(lines) + "\n"


def _collect(text: str, worker: int, about: dict[str, list[str]], samples: dict[str, list[str]]) -> None:
    family = ""
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, family, *_ = line.split(" ", 3)
            head = about.setdefault(family, [])
            if not any(known.startswith(f"# {word} ") for known in head):
                head.append(line)
        elif found := _SAMPLE.match(line):
            name, labels, value = found.groups()
            label = f'worker="{worker}"' + (f",{labels}" if labels else "")
            samples.setdefault(family, []).append(f"{name}{{{label}}} {value}")
