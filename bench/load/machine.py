"""What processes and the machine used, read from /proc. Linux only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of some processes together: CPU seconds since their start, resident bytes, threads."""

    cpu: float = 0.0
    resident: int = 0
    threads: int = 0


def _fields(pid: int) -> list[str] | None:
    """/proc/PID/stat after the name: the state, the parent and so on; None when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _fields(int(entry))) is not None:
            parents[int(entry)] = int(fields[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def usage(pids: Sequence[int]) -> Usage:
    cpu = resident = threads = 0
    for pid in pids:
        if (fields := _fields(pid)) is not None:
            cpu += int(fields[11]) + int(fields[12])
            threads += int(fields[17])
            resident += int(fields[21]) * _PAGE
    return Usage(cpu / _TICKS, resident, threads)


def machine_busy() -> float:
    """CPU seconds that all cores together were not idle, since boot."""
    values = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(values) - values[3] - values[4]) / _TICKS
