"""What a worker is told when it starts, by a pipe from the supervisor. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass

from offhook.settings import Settings


@dataclass(frozen=True, slots=True)
class Orders:
    """`berths`: the berth of each slot; `first`: the house starts with this worker; `line` and `board` are
    inherited descriptors."""

    settings: Settings
    slot: int
    berths: dict[int, int]
    first: bool
    line: int
    board: int
