"""What routes ask about who asks: the visitor, whether they may on a call, what is noted. Lets nobody in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from fastapi import Request

from offhook.desk.audit import Audit
from offhook.desk.roles import Action, Reach, may_on, reach
from offhook.desk.sessions import Visitor
from offhook.foundation.clock import Clock
from offhook.foundation.desk_events import LegJoined
from offhook.foundation.errors import RefusedError
from offhook.foundation.people import EVERY_AGENT, Person
from offhook.storage.base import CallRecord, CallStore

AGAIN_S = 600.0
_REMEMBERED = 2_000


def visitor_of(request: Request) -> Visitor:
    """Who asks, as the gate let them in. Raises RefusedError where no gate did."""
    found = getattr(request.state, "visitor", None)
    if not isinstance(found, Visitor):
        raise RefusedError("log in first")
    return found


def person_of(request: Request) -> Person:
    """As `visitor_of`: the person. Raises RefusedError."""
    return visitor_of(request).person


def agents_of(person: Person) -> Sequence[str] | None:
    """The agents whose calls a person may see; None: all."""
    if reach(person.role, Action.SEE_CALL) is Reach.ALL or EVERY_AGENT in person.agents:
        return None
    return person.agents


async def check_call(person: Person, action: Action, call: CallRecord, store: CallStore) -> None:
    """Raises RefusedError when the person may not do this on that call."""
    own = reach(person.role, action) is Reach.OWN and await was_seated(person, call.id, store)
    if not may_on(person, action, call.agent, own=own):
        raise RefusedError("this call is not one of yours")


async def was_seated(person: Person, call_id: str, store: CallStore) -> bool:
    """Whether the call's timeline has the person on it."""
    events: Sequence[dict[str, Any]] = await store.events(call_id)
    return any(event["kind"] == LegJoined.kind and event.get("by") == person.id for event in events)


class Notes:
    """The audit log, for deeds that come in many requests (parts of a recording): each is noted once in
    AGAIN_S. Without an `audit` nothing is noted."""

    def __init__(self, audit: Audit | None, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._last: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def note(self, person: Person, action: str, call_id: str = "", **detail: Any) -> None:
        if self._audit is not None:
            self._audit.note(person, action, call_id, **detail)

    def note_once(self, person: Person, action: str, call_id: str) -> None:
        key, now = (person.id, action, call_id), self._clock.now()
        if now - self._last.get(key, -AGAIN_S) < AGAIN_S:
            return
        self._last[key] = now
        self._last.move_to_end(key)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        self.note(person, action, call_id)
