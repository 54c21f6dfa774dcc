"""The queues in one process: lets callers wait, rings consoles, obeys whichever process runs the queues.

With several workers the lowest that is up runs them all; each reports to it every second, and at once when
something changed. When that one is gone, the next begins anew from the reports: nobody loses their place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import structlog

from offhook.call.directory import LiveCall
from offhook.call.timeline import Sink, Timeline
from offhook.center.dispatch import Dispatcher, Report, packed, unpacked
from offhook.center.people import Presence, Skills
from offhook.center.queue_words import Order, Overflow, Ring, SendAway, StopRing, Taken, Tell, Waiter
from offhook.center.rings import Rings
from offhook.center.staff import Staff, Viewer
from offhook.center.waiting import Queue, WaitingCall
from offhook.center.way import Alone, Way
from offhook.foundation.center_events import CallBackAsked, QueueMissed, QueueOutcome, QueueRang
from offhook.foundation.errors import ConflictError, LimitError
from offhook.foundation.people import Person
from offhook.protocols.live_words import message

STEP_S, REPORT_S = 0.25, 1.0
MEASURED = 20
_log = structlog.get_logger(__name__)


class Onward(Protocol):
    """What becomes of callers whom no operator answers (center.onward)."""

    def overflow(self, waiting: WaitingCall) -> str:
        """Send the caller on; where to, in words."""

    def call_back(self, waiting: WaitingCall, number: str) -> None:
        """Keep the wish, say goodbye, end the call."""


class QueueDesk:
    """Of one process. Implements moves.Queues and waiting.Room."""

    def __init__(
        self,
        queues: Mapping[str, Queue],
        staff: Staff,
        skills: Callable[[str], Skills],
        now: Callable[[], float],
        way: Way | None = None,
    ) -> None:
        self.queues = queues
        self.staff = staff
        self.onward: Onward | None = None
        self._now = now
        self._way: Way = Alone()
        self._dispatcher = Dispatcher({name: queue.rules for name, queue in queues.items()}, skills)
        self._waiting: dict[str, WaitingCall] = {}
        self._talked: dict[str, float] = {}
        """Calls that an operator had, and until when: one that is lost gives the caller back."""
        self._rings = Rings(staff, now)
        self._handled: dict[str, deque[float]] = {}
        self._leader = 0
        self._dirty = True
        self._reported = -1e9
        self._task: asyncio.Task[None] | None = None
        self.opened: Callable[[str], None] = lambda person_id: None
        staff.changed = self.changed
        self.join(way or self._way)

    def join(self, way: Way) -> None:
        """The way to the other processes, before anything is said."""
        self._way = way
        way.hear(
            "queue report", lambda value: self._dispatcher.report(value[0], Report.of(value[1]), self._now())
        )
        way.hear("queue orders", lambda value: self._obey_all([unpacked(order) for order in value]))
        way.hear("queue answer", lambda value: self._answer(*value))
        way.hear("queue decline", lambda value: self._decline(*value))
        way.hear("queue view", lambda value: self._dispatcher.view(self._now()))
        way.hear("console", lambda value: self._show(value[0], value[1].encode()))
        way.hear("queue staff", lambda value: self._dispatcher.staffed(self._now()))
        way.hear("presence", lambda value: self._said(value[0], Presence(value[1]), value[2]))

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="queues")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # Callers. Implements moves.Queues and waiting.Room.

    def agent_of(self, queue: str) -> str:
        return self.queues[queue].agent

    def enter(self, call: LiveCall, queue: str) -> None:
        """The caller waits from now on. Who waits in another queue leaves that; a call that is over waits
        nowhere."""
        if call.session.end_reason is not None:
            return
        if (before := self._waiting.get(call.id)) is not None and before.waits:
            before.leave(QueueOutcome.MOVED, target=f"queue:{queue}")
        language = call.session.conversation.language
        self._waiting[call.id] = WaitingCall(call, self.queues[queue], language, self._now, self)
        self.changed()

    def changed(self) -> None:
        self._dirty = True

    def wants_call_back(self, waiting: WaitingCall, number: str) -> None:
        if not number:
            waiting.ask_number()
        elif self.onward is not None:
            name = waiting.queue.rules.name
            waiting.call.session.timeline.emit(CallBackAsked(name, number))
            waiting.goodbye()
            waiting.leave(QueueOutcome.CALL_BACK)
            self.onward.call_back(waiting, number)

    def handled(self, queue: str, seconds: float) -> None:
        self._handled.setdefault(queue, deque(maxlen=MEASURED)).append(seconds)
        self.changed()

    def follow(self, timeline: Timeline) -> tuple[Sink, ...]:
        return self.staff.follow(timeline)

    def wrap_up(self, call_id: str) -> float:
        """Seconds that an operator has to write a call up."""
        waiting = self._waiting.get(call_id)
        return waiting.queue.wrap_up_s if waiting is not None else 0.0

    # Operators.

    def open(self, viewer: Viewer) -> None:
        """A console was opened: it is told how things are."""
        self.staff.join(viewer)
        presence = self.staff.said.get(viewer.person.id, (Presence.AWAY, 0.0))[0]
        viewer.show(message("presence", presence=presence.value))
        self._rings.show(viewer)
        self.opened(viewer.person.id)

    def leave(self, viewer: Viewer) -> None:
        self.staff.leave(viewer)

    def say(self, person: Person, presence: Presence) -> None:
        """A person is available, or away."""
        self._say(person.id, presence)

    def _say(self, person_id: str, presence: Presence) -> None:
        before = self.staff.said.get(person_id, (Presence.AWAY, 0.0))[1]
        at = max(self._now(), before + 1e-6)
        self._way.tell("presence", [person_id, presence.value, at])
        self._said(person_id, presence, at)

    def _said(self, person_id: str, presence: Presence, at: float) -> None:
        """Somebody said so, here or elsewhere."""
        if self.staff.say(person_id, presence, at):
            for viewer in self.staff.viewers(person_id):
                viewer.show(message("presence", presence=presence.value))

    def show(self, person_id: str, raw: bytes) -> None:
        """Send this to all consoles of a person, in all processes."""
        self._way.tell("console", [person_id, raw.decode()])
        self._show(person_id, raw)

    def _show(self, person_id: str, raw: bytes) -> None:
        for viewer in self.staff.viewers(person_id):
            viewer.show(raw)

    async def accept(self, person: Person, call_id: str) -> None:
        """Raises ConflictError when the ring is over, LimitError when the other process does not answer."""
        if not await self._leads("queue answer", [person.id, call_id], self._answer):
            raise ConflictError("this call does not ring for you any more")

    async def decline(self, person: Person, call_id: str) -> None:
        """Idempotent. Raises LimitError."""
        await self._leads("queue decline", [person.id, call_id], self._decline)

    async def view(self) -> dict[str, Any]:
        """Who waits and who works. Raises LimitError."""
        found = await self._leads("queue view", [], lambda: self._dispatcher.view(self._now()))
        return dict(found)

    async def operators(self) -> list[list[Any]]:
        """Who works here, as `dispatch.staffed` has them. Raises LimitError."""
        found = await self._leads("queue staff", [], lambda: self._dispatcher.staffed(self._now()))
        return list(found)

    async def _leads(self, name: str, value: list[Any], here: Callable[..., Any]) -> Any:
        leader = self._way.leader()
        if leader == self._way.slot:
            self._report()
            return here(*value)
        found = await self._way.ask(name, value, leader)
        if found is None:
            raise LimitError("the process that runs the queues does not answer; try again")
        return found

    def _answer(self, person: str, call_id: str) -> bool:
        taken = self._dispatcher.answer(person, call_id, self._now())
        if taken is None:
            return False
        self._send(self._dispatcher.sent([taken]))
        return True

    def _decline(self, person: str, call_id: str) -> bool:
        self._send(self._dispatcher.decline(person, call_id, self._now()))
        return True

    # The run.

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            try:
                self.step()
            except Exception:
                _log.exception("the queues were not looked after")

    def step(self) -> None:
        """Report what is here; run the queues where that is up to this process."""
        now, leader = self._now(), self._way.leader()
        if leader != self._leader:
            self._leader, self._dirty = leader, True
            self._dispatcher.forget()
            self._rings.stop_all()
        self._waiting = {id: waiting for id, waiting in self._waiting.items() if not waiting.over}
        if self._dirty or now - self._reported >= REPORT_S:
            self._report()
        if leader == self._way.slot:
            self._send(self._dispatcher.step(now))

    def _report(self) -> None:
        self._dirty, self._reported = False, self._now()
        report = Report(
            self._waiters(),
            tuple(self.staff.seen()),
            dict(self.staff.said),
            {queue: list(lengths) for queue, lengths in self._handled.items()},
        )
        if self._way.leader() == self._way.slot:
            self._dispatcher.report(self._way.slot, report, self._now())
        else:
            self._way.tell("queue report", [self._way.slot, report.as_values()], self._way.leader())

    def _waiters(self) -> tuple[Waiter, ...]:
        """Those who wait here."""
        for id, waiting in self._waiting.items():
            if not waiting.waits:
                self._talked[id] = self._now()
        self._talked = {id: until for id, until in self._talked.items() if id in self._waiting}
        return tuple(
            replace(waiting.waiter(), back=self._talked.get(id, 0.0))
            for id, waiting in self._waiting.items()
            if waiting.waits
        )

    def _send(self, orders: list[tuple[int, Order]]) -> None:
        by_slot: dict[int, list[Order]] = {}
        for slot, order in orders:
            by_slot.setdefault(slot, []).append(order)
        for slot, some in by_slot.items():
            if slot == self._way.slot:
                self._obey_all(some)
            else:
                self._way.tell("queue orders", [packed(order) for order in some], slot)

    # Orders.

    def _obey_all(self, orders: list[Order]) -> None:
        for order in orders:
            try:
                self._obey(order)
            except Exception:
                _log.exception("an order of the queues was not obeyed", order=type(order).__name__)

    def _obey(self, order: Order) -> None:
        if isinstance(order, SendAway):
            self._say(order.person, Presence.AWAY)
            return
        waiting = self._waiting.get(order.call)
        if waiting is not None and not waiting.waits:
            waiting = None
        match order:
            case Ring():
                if waiting is not None:
                    waiting.call.session.timeline.emit(QueueRang(order.queue, order.person, order.name))
                self._rings.ring(order)
            case StopRing():
                self._stop(order, waiting)
            case Taken():
                self._rings.answered(order.call)
                if waiting is not None:
                    waiting.taken, waiting.until = order.person, order.until
                    self.changed()
            case Tell() if waiting is not None:
                waiting.tell(order.position, order.wait_s)
            case Overflow() if waiting is not None and self.onward is not None:
                waiting.goodbye()
                waiting.leave(QueueOutcome.OVERFLOW, target=self.onward.overflow(waiting))

    def _stop(self, order: StopRing, waiting: WaitingCall | None) -> None:
        if waiting is not None and order.why:
            waiting.call.session.timeline.emit(QueueMissed(order.queue, order.person, order.why))
            if waiting.taken == order.person:
                waiting.taken = ""
                self.changed()
        self._rings.stop(order)
