"""The operators' queues of a house: who is rung for which caller, for how long, and who goes elsewhere. Pure.

Time is a parameter, in seconds. It is told who waits and who works, and gives orders; it reaches nobody
itself. What it remembers of a caller or an operator that nobody reports any more is forgotten, so that it can
be begun anew from the reports at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from offhook.center.people import Operator, may_answer
from offhook.center.queue_words import (
    Miss,
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

DECLINED_S, MISSED_S = 30.0, 15.0
"""So long nobody is rung again for a caller whom they declined, or did not answer."""
JOIN_S = 15.0
"""Who said to answer must be on the call after so long."""
MISSES = 2
"""Who does not answer so often in a row is away."""
FEWEST_MEASURED = 3


@dataclass(slots=True)
class _Ringing:
    person: str
    until: float


@dataclass(slots=True)
class _Place:
    """What is remembered of a caller."""

    waiter: Waiter
    ringing: _Ringing | None = None
    not_before: dict[str, float] = field(default_factory=dict)
    told_at: float | None = None
    alone_since: float | None = None
    """When it was first seen that nobody works who could answer them."""
    gone: bool = False


class Queues:
    """`update` says how things are, `step` what is to be done; between them `answer` and `decline`."""

    def __init__(self, rules: Mapping[str, QueueRules]) -> None:
        self._rules = rules
        self._places: dict[str, _Place] = {}
        self._operators: dict[str, Operator] = {}
        self._misses: dict[str, int] = {}
        self._missed_at: dict[str, float] = {}
        self._handled: Mapping[str, list[float]] = {}

    # What is known.

    def update(
        self,
        waiters: Iterable[Waiter],
        operators: Iterable[Operator],
        handled: Mapping[str, list[float]] | None = None,
    ) -> None:
        """All who wait and all who work, as they are now; `handled` are the lengths of recent calls."""
        now_waiting = {waiter.call: waiter for waiter in waiters if waiter.queue in self._rules}
        for call, waiter in now_waiting.items():
            place = self._places.get(call)
            if place is None or place.waiter.queue != waiter.queue:
                if place is not None and place.ringing is not None:
                    place.gone = True
                    continue
                self._places[call] = _Place(waiter)
            elif place.waiter.taken and not waiter.taken:  # who waits there has not heard of it yet
                place.waiter = replace(waiter, taken=place.waiter.taken, until=place.waiter.until)
            else:
                place.waiter = waiter
        for call, place in self._places.items():
            if call not in now_waiting:
                place.gone = True
        self._operators = {operator.person.id: operator for operator in operators}
        for book in (self._misses, self._missed_at):
            for person in book.keys() - self._operators.keys():
                del book[person]
        if handled is not None:
            self._handled = handled

    def waiting(self, queue: str) -> list[Waiter]:
        """Who waits in a queue, the next one first."""
        return [place.waiter for place in self._line() if place.waiter.queue == queue]

    def ringing(self) -> dict[str, str]:
        """Who is rung now, or has said to answer: person to call."""
        found = {place.ringing.person: call for call, place in self._places.items() if place.ringing}
        for call, place in self._places.items():
            if place.waiter.taken and not place.gone:
                found[place.waiter.taken] = call
        return found

    def estimate(self, waiter: Waiter, position: int) -> float:
        """Seconds until somebody at this position is served; -1 while nobody works there."""
        rules = self._rules[waiter.queue]
        staff = sum(operator.staffs for operator in self._fit(waiter))
        if not staff:
            return -1.0
        measured = self._handled.get(waiter.queue, [])
        length = sum(measured) / len(measured) if len(measured) >= FEWEST_MEASURED else rules.handle_s
        free = sum(operator.free for operator in self._fit(waiter))
        return max(0.0, (position - free) * length / staff)

    # What operators say.

    def answer(self, person: str, call: str, now: float) -> Taken | None:
        """Somebody who is rung answers; None when the ring is over."""
        place = self._places.get(call)
        if place is None or place.gone or place.ringing is None or place.ringing.person != person:
            return None
        if now > place.ringing.until:
            return None
        place.ringing = None
        self._misses.pop(person, None)
        until = now + JOIN_S
        place.waiter = replace(place.waiter, taken=person, until=until)
        return Taken(call, person, until)

    def decline(self, person: str, call: str, now: float) -> list[Order]:
        """Somebody who is rung does not want the call; nothing for one who is not."""
        place = self._places.get(call)
        if place is None or place.ringing is None or place.ringing.person != person:
            return []
        self._misses.pop(person, None)
        return list(self._missed(place, Miss.DECLINED, now))

    # What is to be done.

    def step(self, now: float) -> list[Order]:
        """All that is due."""
        orders = [*self._let_go(), *self._expire(now), *self._overflow(now)]
        return [*orders, *self._ring(now), *self._tell(now)]

    def _let_go(self) -> Iterator[Order]:
        """Callers who are gone are rung for no more."""
        for call, place in list(self._places.items()):
            if place.gone:
                if place.ringing is not None:
                    yield StopRing(call, place.waiter.queue, place.ringing.person)
                del self._places[call]

    def _expire(self, now: float) -> Iterator[Order]:
        for place in self._places.values():
            ringing, waiter = place.ringing, place.waiter
            if waiter.taken and now > waiter.until:
                place.not_before[waiter.taken] = now + MISSED_S
                yield StopRing(waiter.call, waiter.queue, waiter.taken, Miss.LATE)
                place.waiter = replace(waiter, taken="", until=0.0)
            elif ringing is not None:
                operator = self._operators.get(ringing.person)
                if operator is None or not operator.free:
                    yield from self._missed(place, Miss.GONE, now)
                elif now > ringing.until:
                    yield from self._missed(place, Miss.TIMEOUT, now)

    def _missed(self, place: _Place, why: Miss, now: float) -> Iterator[Order]:
        assert place.ringing is not None
        person, place.ringing = place.ringing.person, None
        place.not_before[person] = now + (DECLINED_S if why is Miss.DECLINED else MISSED_S)
        self._missed_at[person] = now
        yield StopRing(place.waiter.call, place.waiter.queue, person, why)
        if why is Miss.TIMEOUT:
            self._misses[person] = self._misses.get(person, 0) + 1
            if self._misses[person] >= MISSES:
                del self._misses[person]
                yield SendAway(person)

    def _overflow(self, now: float) -> Iterator[Order]:
        counts: dict[str, int] = {}
        for place in self._line():
            waiter, rules = place.waiter, self._rules[place.waiter.queue]
            counts[waiter.queue] = counts.get(waiter.queue, 0) + 1
            if any(self._works(operator, waiter) for operator in self._operators.values()):
                place.alone_since = None
            elif place.alone_since is None:
                place.alone_since = now
            if place.ringing is not None or waiter.taken:
                continue
            alone = place.alone_since is not None and now - place.alone_since >= rules.unstaffed_s
            why = "wait" if now - waiter.waits_since >= rules.max_wait_s else "unstaffed" if alone else ""
            if not why and counts[waiter.queue] > rules.max_callers:
                why = "full"
            if why:
                place.gone = True
                yield Overflow(waiter.call, why)

    def _works(self, operator: Operator, waiter: Waiter) -> bool:
        """Whether somebody works who could answer this caller, in any language of the queue's: what a caller
        is heard to speak may change with the next word."""
        rules = self._rules[waiter.queue]
        languages = rules.languages | {waiter.language.lower()} if rules.languages else rules.languages
        able = operator.staffs and operator.skills.cover(rules.skills, languages)
        return able and may_answer(operator.person, waiter.agent)

    def _ring(self, now: float) -> Iterator[Order]:
        """The longest waiting caller gets the operator who has been idle longest."""
        taken = self.ringing()
        idle = [each for each in self._operators.values() if each.free and each.person.id not in taken]
        idle.sort(
            key=lambda each: (max(each.since, self._missed_at.get(each.person.id, 0.0)), each.person.id)
        )
        for place in self._line():
            if not idle:
                return
            if place.gone or place.ringing is not None or place.waiter.taken:
                continue
            for operator in idle:
                if place.not_before.get(operator.person.id, 0.0) <= now and self._serves(
                    operator, place.waiter
                ):
                    idle.remove(operator)
                    yield self._begin(place, operator, now)
                    break

    def _begin(self, place: _Place, operator: Operator, now: float) -> Ring:
        waiter, person = place.waiter, operator.person
        seconds = self._rules[waiter.queue].ring_s
        place.ringing = _Ringing(person.id, now + seconds)
        return Ring(waiter.call, waiter.queue, person.id, person.name, seconds)

    def _tell(self, now: float) -> Iterator[Order]:
        positions: dict[str, int] = {}
        for place in self._line():
            waiter, rules = place.waiter, self._rules[place.waiter.queue]
            position = positions[waiter.queue] = positions.get(waiter.queue, 0) + 1
            if place.gone or waiter.taken:
                continue
            wait_s = self.estimate(waiter, position)
            due = (
                rules.announce_s > 0 and place.told_at is not None and now - place.told_at >= rules.announce_s
            )
            if place.told_at is None or due:
                place.told_at = now
                yield Tell(waiter.call, position, wait_s)

    # Within.

    def _line(self) -> list[_Place]:
        """All who wait, the next one first; a queue's head start counts as waiting."""
        return sorted(self._places.values(), key=self._order)

    def _order(self, place: _Place) -> tuple[float, str]:
        waiter = place.waiter
        return waiter.since - self._rules[waiter.queue].head_start_s, waiter.call

    def _fit(self, waiter: Waiter) -> list[Operator]:
        return [operator for operator in self._operators.values() if self._serves(operator, waiter)]

    def _serves(self, operator: Operator, waiter: Waiter) -> bool:
        rules = self._rules[waiter.queue]
        languages = frozenset({waiter.language.lower()}) if waiter.language else rules.languages
        if not operator.skills.cover(rules.skills, languages):
            return False
        return may_answer(operator.person, waiter.agent)
