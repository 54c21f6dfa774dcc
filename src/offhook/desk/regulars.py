"""Who calls again: looks up, as a call begins, what is kept of its caller. Stores nothing, shows nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import structlog

from offhook.call.directory import LiveCall
from offhook.foundation.errors import StorageError
from offhook.foundation.events import CallEnded, CallStarted, Direction, Entry
from offhook.storage.base import CallRecord, EarlierCalls

LOOK_UP_S = 5.0
SHOWN = 5
_log = structlog.get_logger(__name__)


class Lookup(Protocol):
    """The store's."""

    async def earlier(self, caller: str, but: str = "", limit: int = SHOWN) -> EarlierCalls: ...


class Live(Protocol):
    def get(self, call_id: str) -> LiveCall | None: ...


class Regulars:
    """`take` is given every event of every call; it is immediate. A lookup that fails leaves a caller
    unknown."""

    def __init__(self, calls: Live, store: Lookup) -> None:
        self._calls = calls
        self._store = store
        self._known: dict[str, EarlierCalls] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def of(self, call_id: str) -> EarlierCalls | None:
        """Earlier calls of a live call's caller; None: none, or not known yet."""
        return self._known.get(call_id)

    def take(self, entry: Entry) -> None:
        if isinstance(entry.event, CallStarted):
            task = asyncio.get_running_loop().create_task(
                self._look_up(entry.call_id), name=f"{entry.call_id}:earlier calls"
            )
            self._tasks[entry.call_id] = task
            task.add_done_callback(lambda task: self._tasks.pop(entry.call_id, None))
        elif isinstance(entry.event, CallEnded):
            self._known.pop(entry.call_id, None)
            if (left := self._tasks.get(entry.call_id)) is not None:
                left.cancel()

    async def _look_up(self, call_id: str) -> None:
        """The call is in the directory by now, or was refused."""
        call = self._calls.get(call_id)
        number = other_party(call.record) if call is not None else ""
        if not number:
            return
        try:
            async with asyncio.timeout(LOOK_UP_S):
                found = await self._store.earlier(number, but=call_id)
        except (StorageError, TimeoutError):
            _log.warning("earlier calls of a caller could not be looked up", call_id=call_id)
            return
        if found.count and self._calls.get(call_id) is not None:
            self._known[call_id] = found


def other_party(record: CallRecord) -> str:
    """The number at the other end."""
    return record.called if record.direction is Direction.OUTBOUND else record.caller


def told(found: EarlierCalls | None) -> dict[str, Any] | None:
    """As a floor's card shows it."""
    if found is None or not found.latest:
        return None
    calls = [
        {"call_id": call.id, "at": call.started_at.isoformat(), "agent": call.agent} for call in found.latest
    ]
    return {"count": found.count, "last_at": calls[0]["at"], "calls": calls}


def narrowed(card: Mapping[str, Any], agents: Iterable[str]) -> dict[str, Any]:
    """A card for somebody who sees the calls of these agents alone: others are counted, not named."""
    earlier = card.get("earlier")
    if not earlier:
        return dict(card)
    seen = [call for call in earlier["calls"] if call["agent"] in agents]
    return {**card, "earlier": {**earlier, "calls": seen}}
