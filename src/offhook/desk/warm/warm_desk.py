"""The warm transfers of one process, one per call at most: asked for by people and agents. Judges no role."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from offhook.call.directory import LiveCall
from offhook.call.timeline import Sink, Timeline
from offhook.desk.warm.consult import Consult
from offhook.desk.warm.ports import Ask, Briefed, WarmParts
from offhook.desk.warm.steps import Signal
from offhook.desk.warm.targets import Colleague, Kind, fitting, read_target
from offhook.foundation.errors import ConflictError, NotFoundError, OffhookError, RefusedError
from offhook.foundation.events import Entry, Notice, ToolCalled
from offhook.foundation.people import Person

TOOL = "transfer_to_human"
MAX_REASON = 300
_log = structlog.get_logger(__name__)


class WarmDesk:
    """`follow` is told of every call; `find` gives a live call of this process by its id, `asks` for whom an
    agent of this name asks."""

    def __init__(
        self,
        parts: WarmParts,
        find: Callable[[str], LiveCall | None],
        asks: Callable[[str], str] = lambda agent: "anyone",
    ) -> None:
        self._parts = parts
        self._find = find
        self._asks = asks
        self._consults: dict[str, Consult] = {}
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._consults)

    def of(self, call_id: str) -> Consult | None:
        """The warm transfer that is under way."""
        return self._consults.get(call_id)

    def follow(self, timeline: Timeline) -> tuple[Sink, ...]:
        """Agents ask by a tool."""

        def take(entry: Entry) -> None:
            match entry.event:
                case ToolCalled(name=name, failed=False, arguments=arguments) if name == TOOL:
                    asyncio.get_running_loop().call_soon(self._asked, entry.call_id, dict(arguments))

        return (take,)

    def _asked(self, call_id: str, arguments: Mapping[str, Any]) -> None:
        call = self._find(call_id)
        if call is None or call.session.end_reason is not None:
            return
        try:
            target = read_target(self._asks(call.agent) or "anyone")
            reason = str(arguments.get("reason", ""))[:MAX_REASON]
            self.begin(call, Ask(target, reason=reason))
        except OffhookError as error:
            call.session.timeline.emit(Notice(f"no colleague was asked: {error.reason}"))

    # What people do.

    def ask(self, person: Person, call: LiveCall, target: str, reason: str, coach: bool, auto: bool) -> None:
        """Raises RefusedError, ConflictError, NotFoundError for a queue that there is not."""
        wanted = read_target(target)
        if wanted.kind is Kind.QUEUE and wanted.name not in self._parts.queues:
            raise NotFoundError("there is no such queue")
        self.begin(call, Ask(wanted, person, reason, coach, auto))

    def begin(self, call: LiveCall, ask: Ask) -> Consult:
        """Raises ConflictError: one is under way, or the caller waits already."""
        if call.id in self._consults:
            raise ConflictError("somebody is being asked about this call already")
        bridge = call.session.bridge
        if bridge.waits:
            raise ConflictError("the caller waits for somebody already")
        holder = bridge.holder
        if holder is not None and holder.person.id != ask.by:
            raise ConflictError("somebody has taken over this call; they can ask a colleague themselves")
        self._counts[call.id] = number = self._counts.get(call.id, 0) + 1
        consult = Consult(f"w{number}", call, ask, self._parts, lambda: self._ended(call.id))
        self._consults[call.id] = consult
        consult.begin()
        return consult

    def accept(self, person: Person, call_id: str) -> None:
        """Raises NotFoundError, ConflictError."""
        self._under_way(call_id).accept(person)
        self._note(person, "warm_accept", call_id)

    def decline(self, person: Person, call_id: str) -> None:
        """Idempotent while it goes on. Raises NotFoundError."""
        self._under_way(call_id).decline(person)
        self._note(person, "warm_decline", call_id)

    def connect(self, person: Person, call_id: str, coach: bool | None = None) -> None:
        """Raises NotFoundError, ConflictError."""
        self._under_way(call_id).connect(person, coach)
        self._note(person, "warm_connect", call_id)

    def again(self, person: Person, call_id: str) -> None:
        """Raises NotFoundError, ConflictError."""
        self._under_way(call_id).again(person)

    def cancel(self, person: Person, call_id: str) -> None:
        """Raises NotFoundError."""
        self._under_way(call_id).signal(Signal.CANCELLED)
        self._note(person, "warm_cancel", call_id)

    async def colleagues(self, person: Person, agent: str) -> list[Colleague]:
        """Who could be asked about a call of this agent now, in all processes. Raises LimitError."""
        found = await self._parts.finder.colleagues()
        everybody = {each.person.id: each for each in found}
        free = fitting(read_target("anyone"), agent, person.id, found)
        return [everybody[each.id] for each in free]

    # Seats.

    def expects(self, person: Person, call_id: str) -> bool:
        """Whether this person may sit down to be told about the call."""
        consult = self._consults.get(call_id)
        return consult is not None and consult.rings_for(person)

    def check(self, person: Person, call_id: str) -> None:
        """Raises RefusedError for who was not asked."""
        if not self.expects(person, call_id):
            raise RefusedError("nobody asked you to take this call")

    def sat(self, place: Briefed, call_id: str) -> None:
        """Somebody who is expected has taken the seat."""
        consult = self._consults.get(call_id)
        if consult is not None:
            consult.sat(place)

    def opened(self, person_id: str) -> None:
        """A console of this person was opened: what rings for them is shown there, too."""
        for consult in self._consults.values():
            person = consult.person
            if person is not None and person.id == person_id and consult.rings_for(person):
                consult.show_ring()

    # Within.

    def _under_way(self, call_id: str) -> Consult:
        consult = self._consults.get(call_id)
        if consult is None:
            raise NotFoundError("nobody is being asked about this call")
        return consult

    def _ended(self, call_id: str) -> None:
        self._consults.pop(call_id, None)
        self._counts = {id: count for id, count in self._counts.items() if self._find(id) is not None}

    def _note(self, person: Person, action: str, call_id: str) -> None:
        self._parts.note(person, action, call_id)
