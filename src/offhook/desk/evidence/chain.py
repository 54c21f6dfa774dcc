"""The chain over a call's timeline: every line names the hash of the line before. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

FIRST = "0" * 64
LONGEST_LINE = 1 << 20


def chained(entries: Iterable[Mapping[str, Any]]) -> tuple[bytes, int, str]:
    """Lines of JSON, how many, and the head: SHA-256 of the last line without its end, or zeros of none."""
    lines, head = [], FIRST
    for entry in entries:
        line = json.dumps({"previous": head, **entry}, ensure_ascii=False, separators=(",", ":")).encode()
        head = hashlib.sha256(line).hexdigest()
        lines.append(line + b"\n")
    return b"".join(lines), len(lines), head


def first_break(lines: Iterable[bytes], count: int, head: str) -> str:
    """Where the chain does not hold, in one sentence; empty where it holds for `count` lines up to `head`."""
    last, number = FIRST, 0
    seq: Any = None
    for line in lines:
        number += 1
        if not line.endswith(b"\n") or len(line) > LONGEST_LINE:
            return f"line {number} is cut or too long"
        try:
            entry = json.loads(line)
            previous, this = entry["previous"], entry.get("seq")
        except (ValueError, KeyError, TypeError, AttributeError):
            return f"line {number} is no entry of a timeline"
        if previous != last:
            after = f" (entry {seq})" if seq is not None else ""
            return f"line {max(1, number - 1)}{after} was altered, or lines around it are missing or moved"
        last, seq = hashlib.sha256(line[:-1]).hexdigest(), this
    if number != count:
        return f"{number} lines instead of {count}: lines are missing or were added at the end"
    if last != head:
        return f"line {number} (entry {seq}) was altered"
    return ""
