"""Runs the queues of a house in one of its processes, by what all of them report. Reaches no caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from offhook.center.people import Operator, Presence, Skills
from offhook.center.queue import Queues
from offhook.center.queue_words import (
    Order,
    Overflow,
    QueueRules,
    Ring,
    SendAway,
    StopRing,
    Taken,
    Tell,
    Waiter,
)
from offhook.center.staff import Seen, together
from offhook.desk.errands import pack

STALE_S = 4.0
"""A process that reported nothing for so long is taken for gone, with those who wait there."""
_ORDERS: Mapping[str, type[Any]] = {
    kind.__name__: kind for kind in (Overflow, Ring, SendAway, StopRing, Taken, Tell)
}


@dataclass(frozen=True, slots=True)
class Report:
    """All that one process has: who waits there, who works there, what people said of themselves (with when),
    how long recent calls took."""

    waiters: tuple[Waiter, ...] = ()
    seen: tuple[Seen, ...] = ()
    said: Mapping[str, tuple[Presence, float]] = field(default_factory=dict)
    handled: Mapping[str, list[float]] = field(default_factory=dict)

    def as_values(self) -> dict[str, Any]:
        return {
            "waiters": [list(asdict(waiter).values()) for waiter in self.waiters],
            "seen": [seen.as_values() for seen in self.seen],
            "said": {person: [presence.value, at] for person, (presence, at) in self.said.items()},
            "handled": {queue: list(lengths) for queue, lengths in self.handled.items()},
        }

    @staticmethod
    def of(values: Mapping[str, Any]) -> Report:
        """What `as_values` gave."""
        return Report(
            tuple(Waiter(*waiter) for waiter in values["waiters"]),
            tuple(Seen.of(seen) for seen in values["seen"]),
            {person: (Presence(said), float(at)) for person, (said, at) in values["said"].items()},
            values["handled"],
        )


class Dispatcher:
    """`skills(person id)` are an operator's. `step` gives orders, each with a process that obeys it."""

    def __init__(self, rules: Mapping[str, QueueRules], skills: Callable[[str], Skills]) -> None:
        self.rules = rules
        self._skills = skills
        self._queues = Queues(rules)
        self._reports: dict[int, tuple[float, Report]] = {}
        self._person_slots: dict[str, set[int]] = {}
        self._call_slots: dict[str, int] = {}
        self.operators: dict[str, Operator] = {}

    def forget(self) -> None:
        """Another process runs the queues now."""
        self._queues = Queues(self.rules)
        self._reports.clear()

    def report(self, slot: int, report: Report, now: float) -> None:
        """What a process has now."""
        self._reports[slot] = (now, report)

    def answer(self, person: str, call: str, now: float) -> Taken | None:
        """None when that ring is over."""
        self._gather(now)
        return self._queues.answer(person, call, now)

    def decline(self, person: str, call: str, now: float) -> list[tuple[int, Order]]:
        return self.sent(self._queues.decline(person, call, now))

    def step(self, now: float) -> list[tuple[int, Order]]:
        """What is due, as (slot, order)."""
        self._gather(now)
        return self.sent(self._queues.step(now))

    def view(self, now: float) -> dict[str, Any]:
        """Who waits and who works, for people."""
        self._gather(now)
        ringing = self._queues.ringing()
        queues = []
        for name in self.rules:
            waiting = self._queues.waiting(name)
            estimates = [self._queues.estimate(waiter, at) for at, waiter in enumerate(waiting, 1)]
            queues.append(
                {
                    "name": name,
                    "waiting": [
                        {
                            "call_id": waiter.call,
                            "agent": waiter.agent,
                            "language": waiter.language,
                            "position": at,
                            "waited_s": int(now - waiter.since),
                            "wait_s": int(estimate),
                        }
                        for at, (waiter, estimate) in enumerate(zip(waiting, estimates, strict=True), 1)
                    ],
                }
            )
        operators = [self._shown(each, ringing, now) for each in self.operators.values()]
        return {"queues": queues, "operators": sorted(operators, key=lambda each: each["name"])}

    def staffed(self, now: float) -> list[list[Any]]:
        """Everybody whose console is open: the person (packed), whether they are free, and available; the
        queues that they serve, since when they are idle."""
        self._gather(now)
        ringing = self._queues.ringing()
        found = []
        for each in self.operators.values():
            serves = [
                name for name, rules in self.rules.items() if each.skills.cover(rules.skills, rules.languages)
            ]
            free = each.here and not each.busy and each.person.id not in ringing
            found.append([pack(each.person), free, free and each.free, serves, each.since])
        return found

    def _shown(self, operator: Operator, ringing: Mapping[str, str], now: float) -> dict[str, Any]:
        presence = Presence.BUSY if operator.busy else operator.presence
        return {
            "id": operator.person.id,
            "name": operator.person.name,
            "presence": presence.value,
            "here": operator.here,
            "ringing": ringing.get(operator.person.id, ""),
            "idle_s": int(max(0.0, now - operator.since)) if operator.free else 0,
            "skills": sorted(operator.skills.skills),
            "languages": sorted(operator.skills.languages),
        }

    def _gather(self, now: float) -> None:
        self._reports = {slot: told for slot, told in self._reports.items() if told[0] >= now - STALE_S}
        reports = {slot: report for slot, (_, report) in self._reports.items()}
        said: dict[str, tuple[Presence, float]] = {}
        handled: dict[str, list[float]] = {}
        self._call_slots, self._person_slots = {}, {}
        for slot, report in reports.items():
            for person, words in report.said.items():
                if person not in said or words[1] > said[person][1]:
                    said[person] = words
            for queue, lengths in report.handled.items():
                handled.setdefault(queue, []).extend(lengths)
            self._call_slots |= {waiter.call: slot for waiter in report.waiters}
            for seen in report.seen:
                if seen.here:
                    self._person_slots.setdefault(seen.person.id, set()).add(slot)
        seen_by_all = together(report.seen for report in reports.values())
        self.operators = {
            person: self._operator(seen, said.get(person, (Presence.AWAY, 0.0)), now)
            for person, seen in seen_by_all.items()
        }
        waiters = [waiter for report in reports.values() for waiter in report.waiters]
        self._queues.update(waiters, self.operators.values(), handled)

    def _operator(self, seen: Seen, said: tuple[Presence, float], now: float) -> Operator:
        presence, at = said
        since = max(at, seen.idle_from)
        return Operator(
            seen.person,
            self._skills(seen.person.id),
            presence,
            since,
            seen.here,
            seen.busy or now < seen.idle_from,
        )

    def sent(self, orders: Iterable[Order]) -> list[tuple[int, Order]]:
        """Each order with the processes that obey it: the caller's, and those of the operator's consoles."""
        sent: list[tuple[int, Order]] = []
        for order in orders:
            slots: set[int] = set()
            if isinstance(order, Ring | StopRing | SendAway | Taken):
                slots |= self._person_slots.get(order.person, set())
            if not isinstance(order, SendAway) and (slot := self._call_slots.get(order.call)) is not None:
                slots.add(slot)
            sent += [(slot, order) for slot in sorted(slots)]
        return sent


def packed(order: Order) -> list[Any]:
    """An order as JSON."""
    return [type(order).__name__, asdict(order)]


def unpacked(values: list[Any]) -> Order:
    """The order that `packed` was given. Raises KeyError, TypeError for what is none."""
    name, fields = values
    order: Order = _ORDERS[name](**fields)
    return order
