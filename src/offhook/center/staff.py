"""The operators of one process: whose console is open, who is on a call, who is there. Rings nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from offhook.call.modes import TALKS
from offhook.call.timeline import Sink, Timeline
from offhook.center.people import Presence
from offhook.desk.errands import pack, unpack
from offhook.foundation.desk_events import LegJoined, LegLeft, StanceChanged
from offhook.foundation.events import CallEnded, Entry, LegKind
from offhook.foundation.people import Person, Role, Stance

KEPT_S = 60.0
"""So long somebody who is nowhere any more is remembered, once the time to write the last call up is over."""


BUSY = (*TALKS, Stance.CONSULT)
"""Who is on a call so is rung for no other."""


class Viewer(Protocol):
    """An open console."""

    @property
    def person(self) -> Person: ...

    @property
    def session(self) -> str: ...

    def show(self, raw: bytes) -> None: ...

    def eject(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What one process knows of a person. `freed` is when the last call was let go, `idle_from` when the time
    for writing it up is over, in seconds of the house's clock."""

    person: Person
    here: bool = False
    busy: bool = False
    freed: float = 0.0
    idle_from: float = 0.0

    def as_values(self) -> list[Any]:
        return [pack(self.person), self.here, self.busy, self.freed, self.idle_from]

    @staticmethod
    def of(values: Iterable[Any]) -> Seen:
        person, here, busy, freed, idle_from = values
        return Seen(unpack(person), bool(here), bool(busy), float(freed), float(idle_from))


@dataclass(slots=True)
class _Known:
    person: Person
    viewers: list[Viewer] = field(default_factory=list)
    seats: set[tuple[str, str]] = field(default_factory=set)
    freed: float = 0.0
    idle_from: float = 0.0


class Staff:
    """`changed` is told when somebody came, went, or is busy now or no more; `now` is the house's clock.
    `wrap_up(call)` are the seconds that an operator has to write a call up."""

    def __init__(self, now: Callable[[], float], wrap_up: Callable[[str], float] = lambda call: 0.0) -> None:
        self._now = now
        self.wrap_up = wrap_up
        self._known: dict[str, _Known] = {}
        self._talking: dict[tuple[str, str], str] = {}
        self.said: dict[str, tuple[Presence, float]] = {}
        self.changed: Callable[[], None] = lambda: None

    # Consoles.

    def join(self, viewer: Viewer) -> None:
        """A console was opened."""
        person = viewer.person
        known = self._known.setdefault(person.id, _Known(person))
        known.person = person
        known.viewers.append(viewer)
        self.changed()

    def leave(self, viewer: Viewer) -> None:
        """Idempotent."""
        known = self._known.get(viewer.person.id)
        if known is not None and viewer in known.viewers:
            known.viewers.remove(viewer)
            self._drop(known)
            self.changed()

    def eject(self, person_id: str, session: str) -> None:
        """This session is over."""
        for viewer in self.viewers(person_id):
            if viewer.session == session:
                viewer.eject()

    def viewers(self, person_id: str) -> list[Viewer]:
        known = self._known.get(person_id)
        return list(known.viewers) if known is not None else []

    def everybody(self) -> list[Viewer]:
        return [viewer for known in self._known.values() for viewer in known.viewers]

    # Presence.

    def say(self, person_id: str, presence: Presence, at: float) -> bool:
        """What somebody says of themselves, `at` a time of the house's clock; the newest counts."""
        before = self.said.get(person_id)
        if before is not None and before[1] >= at:
            return False
        self.said[person_id] = (presence, at)
        self.changed()
        return True

    # Calls.

    def follow(self, timeline: Timeline) -> tuple[Sink, ...]:
        return (self._take,)

    def _take(self, entry: Entry) -> None:
        match entry.event:
            case LegJoined(leg=LegKind.GUEST) | LegLeft(leg=LegKind.GUEST):
                pass  # of the caller's party: nobody who works here
            case LegJoined(seat=seat, by=by, name=name, stance=stance):
                if by not in self._known:
                    self._known[by] = _Known(_stranger(by, name))
                self._stands(entry.call_id, seat, by, stance in BUSY)
            case StanceChanged(seat=seat, by=by, stance=stance):
                self._stands(entry.call_id, seat, by, stance in BUSY)
            case LegLeft(seat=seat, by=by):
                self._stands(entry.call_id, seat, by, False)
            case CallEnded():
                for place, by in list(self._talking.items()):
                    if place[0] == entry.call_id:
                        self._stands(*place, by, False)

    def _stands(self, call: str, seat: str, by: str, talks: bool) -> None:
        place, known = (call, seat), self._known.get(by)
        if known is None or (place in known.seats) is talks:
            return
        if talks:
            known.seats.add(place)
            self._talking[place] = by
        else:
            known.seats.discard(place)
            self._talking.pop(place, None)
            known.freed = self._now()
            known.idle_from = known.freed + self.wrap_up(call)
            self._drop(known)
        self.changed()

    def _drop(self, known: _Known) -> None:
        """Forget who is nowhere; what was said stays."""
        if not known.viewers and not known.seats and self._now() - max(known.freed, known.idle_from) > KEPT_S:
            self._known.pop(known.person.id, None)

    # What others are told.

    def seen(self) -> list[Seen]:
        for known in tuple(self._known.values()):
            self._drop(known)
        return [
            Seen(known.person, bool(known.viewers), bool(known.seats), known.freed, known.idle_from)
            for known in self._known.values()
        ]


def together(reports: Iterable[Iterable[Seen]]) -> Mapping[str, Seen]:
    """What several processes know, by person."""
    found: defaultdict[str, list[Seen]] = defaultdict(list)
    for report in reports:
        for seen in report:
            found[seen.person.id].append(seen)
    return {
        person_id: Seen(
            next((one.person for one in all_of if one.here), all_of[0].person),
            any(one.here for one in all_of),
            any(one.busy for one in all_of),
            max(one.freed for one in all_of),
            max(one.idle_from for one in all_of),
        )
        for person_id, all_of in found.items()
    }


def _stranger(person_id: str, name: str) -> Person:
    """Somebody on a call whose console is not open here: their role is not needed."""
    return Person(person_id, name, Role.OPERATOR, ())
