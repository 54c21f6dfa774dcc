"""Pushes the live floor to those who watch it: all of it at first, then what changed. Opens no sockets.

With several workers, each tells the others of its own cards while somebody there watches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from offhook.desk.floor import Card, Floor, counters, outline, ranked
from offhook.desk.regulars import narrowed
from offhook.desk.roles import Action, Reach, reach
from offhook.foundation.people import EVERY_AGENT, Person
from offhook.protocols.live_words import message

PUSH_S = 0.5
STALE_S = 3.0
"""Cards of a worker that told nothing for so long are not shown."""


class Viewer(Protocol):
    """Somebody who watches."""

    @property
    def person(self) -> Person: ...

    @property
    def ready(self) -> bool:
        """Whether what was sent before has left."""

    @property
    def session(self) -> str: ...

    def show(self, raw: bytes) -> None: ...

    def eject(self) -> None:
        """The session is over."""


class Far(Protocol):
    """The floors of other workers."""

    def watch(self, on: bool) -> None:
        """Cards of elsewhere are wanted here from now on, or no more."""

    def cards(self) -> Iterable[Card]: ...

    def waits(self) -> int: ...


class Nowhere:
    """Implements Far for a house of one process."""

    def watch(self, on: bool) -> None: ...

    def cards(self) -> Iterable[Card]:
        return ()

    def waits(self) -> int:
        return 0


class FloorBoard:
    """At most 1 / PUSH_S messages a second to each viewer. One that is not ready is skipped, and gets the
    whole floor once it is. There is a timer only while somebody watches."""

    def __init__(self, floor: Floor, far: Far | None = None) -> None:
        self.floor = floor
        self.far: Far = far or Nowhere()
        self._viewers: dict[Viewer, bool] = {}
        self._shown: dict[str, tuple[Card, tuple[Any, ...]]] = {}
        self._counts: dict[tuple[str, ...] | None, dict[str, int]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._viewers)

    def cards(self, person: Person) -> list[Card]:
        """All cards that a person may see."""
        return _seen(self._all(), agents_of(person))

    def whole(self, person: Person) -> dict[str, Any]:
        """The floor as a message shows it."""
        cards = self.cards(person)
        return {"calls": cards, "gone": [], "counters": counters(cards, self._waiting())}

    def join(self, viewer: Viewer) -> None:
        """Show the whole floor now, and what changes until `leave`."""
        if not self._viewers:
            self.far.watch(True)
            self._changed()  # nobody was told of what changed before
        self._show_whole(viewer)
        if self._timer is None:
            self._wait()

    def leave(self, viewer: Viewer) -> None:
        """Idempotent."""
        known = self._viewers.pop(viewer, None)
        if known is not None and not self._viewers:
            self.far.watch(False)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def eject(self, person_id: str, session: str) -> None:
        """This session is over: whoever watches by it does so no more."""
        for viewer in [each for each in self._viewers if each.session == session]:
            if viewer.person.id == person_id:
                viewer.eject()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(PUSH_S, self._push)

    def _push(self) -> None:
        self._wait()
        changed, gone = self._changed()
        messages: dict[tuple[str, ...] | None, bytes | None] = {}
        for viewer, is_current in list(self._viewers.items()):
            if not viewer.ready:
                self._viewers[viewer] = False
            elif not is_current:
                self._show_whole(viewer)
            else:
                agents = agents_of(viewer.person)
                if agents not in messages:
                    messages[agents] = self._news(changed, gone, agents)
                if (raw := messages[agents]) is not None:
                    viewer.show(raw)
        groups = {agents_of(viewer.person) for viewer in self._viewers}
        self._counts = {agents: count for agents, count in self._counts.items() if agents in groups}

    def _show_whole(self, viewer: Viewer) -> None:
        self._viewers[viewer] = True
        whole = self.whole(viewer.person)
        self._counts.setdefault(agents_of(viewer.person), whole["counters"])
        viewer.show(message("floor", **whole))

    def _news(self, changed: list[Card], gone: list[Card], agents: tuple[str, ...] | None) -> bytes | None:
        """What changed for those who see these agents' calls; None: nothing."""
        seen = _seen((card for card, _ in self._shown.values()), agents)
        count = counters(seen, self._waiting())
        cards, left = _seen(changed, agents), [card["call_id"] for card in _seen(gone, agents)]
        if not cards and not left and count == self._counts.get(agents):
            return None
        self._counts[agents] = count
        return message("floor", calls=cards, gone=left, counters=count)

    def _changed(self) -> tuple[list[Card], list[Card]]:
        """Cards that are new or different, and the last ones of calls that are gone."""
        now = {card["call_id"]: (card, outline(card)) for card in self._all()}
        before, self._shown = self._shown, now
        changed = [card for id, (card, line) in now.items() if id not in before or before[id][1] != line]
        return changed, [card for id, (card, _) in before.items() if id not in now]

    def _all(self) -> list[Card]:
        return ranked([*self.floor.cards(), *self.far.cards()])

    def _waiting(self) -> int:
        return self.floor.waits() + self.far.waits()


class FarFloors:
    """Implements Far by what other workers tell. `ask(on)` tells them whether anybody watches here."""

    def __init__(self, ask: Callable[[bool], None], now: Callable[[], float]) -> None:
        self._ask = ask
        self._now = now
        self._told: dict[int, tuple[float, Sequence[Card], int]] = {}

    def watch(self, on: bool) -> None:
        self._ask(on)

    def told(self, slot: int, cards: Sequence[Card], waits: int) -> None:
        """A worker's floor."""
        self._told[slot] = (self._now(), cards, waits)

    def cards(self) -> Iterable[Card]:
        for _, cards, _ in self._fresh():
            yield from cards

    def waits(self) -> int:
        return sum(waits for _, _, waits in self._fresh())

    def _fresh(self) -> list[tuple[float, Sequence[Card], int]]:
        since = self._now() - STALE_S
        return [told for told in self._told.values() if told[0] >= since]


def agents_of(person: Person) -> tuple[str, ...] | None:
    """The agents whose live calls a person sees; None: all."""
    match reach(person.role, Action.SEE_CALL):
        case Reach.ALL:
            return None
        case Reach.ASSIGNED:
            return None if EVERY_AGENT in person.agents else person.agents
    return ()


def _seen(cards: Iterable[Card], agents: tuple[str, ...] | None) -> list[Card]:
    if agents is None:
        return list(cards)
    return [narrowed(card, agents) for card in cards if card["agent"] in agents]
