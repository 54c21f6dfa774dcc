"""Who hears whom on a call now, told by kinds of legs for its timeline and screens. Routes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from offhook.call.modes import HEARS, Part
from offhook.call.seat import Seat
from offhook.foundation.events import LegKind
from offhook.foundation.people import Mode


def who_hears(mode: Mode, seats: Sequence[Seat]) -> dict[str, list[str]]:
    """Ear → sources, by kind of leg; ears of one kind are told together. Who is muted is heard by nobody."""
    ears: list[tuple[Part, LegKind, Seat | None]] = [
        (Part.CALLER, LegKind.CALLER, None),
        (Part.AGENT, LegKind.AGENT, None),
        *((seat.part, seat.leg, seat) for seat in seats),
    ]
    found: dict[str, set[str]] = {}
    for part, leg, seat in ears:
        found.setdefault(leg, set()).update(_names(HEARS[mode].get(part, ()), seats, seat))
    return {ear: sorted(sources) for ear, sources in found.items()}


def _names(parts: Iterable[Part], seats: Sequence[Seat], ear: Seat | None) -> set[str]:
    names: set[str] = set()
    for part in parts:
        if part in (Part.OPERATOR, Part.CONSULTED):
            talkers = (s for s in seats if s.part is part and s is not ear and not s.muted)
            names |= {str(seat.leg) for seat in talkers}
        else:
            names.add(str(part))
    return names
