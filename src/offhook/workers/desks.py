"""The desks of several workers as one: who goes where, floors told to each other, errands on calls elsewhere.

A call is where its id says. One that its client named is where the name says: all who come for it are passed
on to that worker, so that they meet.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from offhook.desk.errands import pack, run, unpack
from offhook.desk.floor_board import PUSH_S, FarFloors
from offhook.foundation.errors import (
    ConflictError,
    LimitError,
    NotFoundError,
    OffhookError,
    RefusedError,
    StorageError,
)
from offhook.foundation.ids import is_call_id
from offhook.foundation.people import Person
from offhook.web.live_door import Hand
from offhook.web.live_site import LiveParts
from offhook.workers.peers import Peers

LEASE_S = 3.0
"""Who watches says so every second; after so long without a word nobody watches there."""
ERRAND_S = 5.0
_ERRORS: dict[str, type[OffhookError]] = {
    error.__name__: error for error in (ConflictError, LimitError, NotFoundError, RefusedError, StorageError)
}


class Desks:
    """One worker's way to the desks of the others. Implements Afar. `owner` is the slot that an id names."""

    def __init__(self, peers: Peers, slot: int, owner: Callable[[str], int | None]) -> None:
        self._peers = peers
        self._slot = slot
        self._owner = owner
        self._now = asyncio.get_running_loop().time
        self._far = FarFloors(self._watch, self._now)
        self._parts: LiveParts | None = None
        self._wanted: dict[int, float] = {}
        self._telling: asyncio.TimerHandle | None = None
        self._asking: asyncio.TimerHandle | None = None

    def join(self, parts: LiveParts) -> LiveParts:
        """The desk of this worker, with the calls of the others."""
        self._parts = parts
        parts.board.far = self._far
        self._peers.hear("floor wanted", lambda value, _: self._want(value))
        self._peers.hear("floor", lambda value, _: self._far.told(*value))
        self._peers.answer("floor", lambda _: self._own())
        self._peers.answer("errand", self._run)
        return replace(parts, afar=self, far=self.far)

    def close(self) -> None:
        for timer in (self._telling, self._asking):
            if timer is not None:
                timer.cancel()

    # Who goes where.

    def slot_of(self, call_id: str) -> int | None:
        """The worker that has a call, or will have it; None for none that is up."""
        up = {*self._peers.roster, self._slot}
        if is_call_id(call_id):
            owner = self._owner(call_id)
            return owner if owner in up else None
        return max(up, key=lambda slot: blake2b(f"{slot}:{call_id}".encode(), digest_size=8).digest())

    def far(self, call_id: str) -> Hand | None:
        """How to pass on who comes for a call; None where they are right here."""
        slot = self.slot_of(call_id)
        if slot is None or slot == self._slot:
            return None

        def hand(moved: dict[str, str], connection: socket.socket) -> bool:
            return self._peers.tell("visitor", moved, [slot], connection)

        return hand

    # Errands.

    async def errand(self, person: Person, call_id: str, errand: Mapping[str, Any]) -> bool:
        """Raises what `run` raises, and LimitError when the worker that may have the call does not answer."""
        slot = self.slot_of(call_id)
        if slot is None or slot == self._slot:
            return False
        answers = await self._peers.ask("errand", [pack(person), call_id, dict(errand)], [slot], ERRAND_S)
        answer = answers.get(slot)
        if answer is None:
            raise LimitError("the worker that may have this call does not answer; try again")
        if answer["error"] == NotFoundError.__name__ and answer["unknown"]:
            return False
        if answer["error"]:
            raise _ERRORS.get(answer["error"], RefusedError)(answer["reason"])
        return True

    async def _run(self, value: Any) -> dict[str, Any]:
        person, call_id, errand = value
        parts = self._parts
        assert parts is not None
        unknown = parts.desk.find(call_id) is None
        try:
            await run(parts.desk, unpack(person), call_id, errand)
        except OffhookError as error:
            return {"error": type(error).__name__, "reason": error.reason, "unknown": unknown}
        return {"error": "", "reason": "", "unknown": False}

    # Floors.

    async def refresh(self) -> None:
        """Ask all workers for their floors."""
        answers = await self._peers.ask("floor", None, seconds=1.0)
        for slot, answer in answers.items():
            if answer is not None:
                self._far.told(slot, *answer)

    def _own(self) -> list[Any]:
        assert self._parts is not None
        floor = self._parts.board.floor
        return [floor.cards(), floor.waits()]

    def _watch(self, on: bool) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        if on:
            self._peers.tell("floor wanted", self._slot)
            self._asking = asyncio.get_running_loop().call_later(1.0, self._watch, True)

    def _want(self, slot: int) -> None:
        self._wanted[slot] = self._now()
        if self._telling is None:
            self._tell()

    def _tell(self) -> None:
        """Twice a second, while anybody elsewhere watches."""
        since = self._now() - LEASE_S
        self._wanted = {slot: at for slot, at in self._wanted.items() if at >= since}
        if not self._wanted:
            self._telling = None
            return
        self._peers.tell("floor", [self._slot, *self._own()], list(self._wanted))
        self._telling = asyncio.get_running_loop().call_later(PUSH_S, self._tell)
