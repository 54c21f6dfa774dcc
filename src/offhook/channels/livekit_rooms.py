"""The rooms that agents of this process are in: which jobs are taken, what becomes of them, who goes where.

Implements the worker's Office. Joins rooms by livekit_room.py; registers nothing itself.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from offhook.channels.base import Reception
from offhook.channels.livekit_room import Order, RoomCall, Rules, Services
from offhook.channels.livekit_server import NAMED, SINCE
from offhook.channels.livekit_worker import Busyness, Decline
from offhook.foundation.errors import LimitError, OffhookError
from offhook.foundation.events import EndReason
from offhook.protocols.livekit_worker import Acceptance, Job, Outcome

CLOSE_S = 6.0
PROMISE_S = 3.0
"""After so long a job that was accepted, and not assigned, went to another process."""
MAX_VARIABLES = 20
_LONGEST = 1_000
_log = structlog.get_logger(__name__)


class Capacity(Reception, Protocol):
    """Takes callers in, and says how many more."""

    draining: bool

    def capacity(self) -> int: ...


def read_brief(metadata: str) -> tuple[str, dict[str, str]]:
    """The agent, and variables of the call, in what a dispatch says; other people's text is one variable."""
    try:
        found = json.loads(metadata) if metadata else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return "", {"metadata": metadata[:_LONGEST]}
    agent, given = found.get("agent"), found.get("variables")
    variables: dict[str, str] = {}
    if isinstance(given, dict):
        for name, value in list(given.items())[:MAX_VARIABLES]:
            if isinstance(value, str | int | float):
                variables[str(name)[:64]] = str(value)[:_LONGEST]
    return agent if isinstance(agent, str) else "", variables


class Rooms:
    """`knows(agent)` says whether there is such an agent, `load()` how busy the process is, 0 to 1."""

    def __init__(
        self,
        agent_name: str,
        url: str,
        reception: Capacity,
        rules: Rules,
        knows: Callable[[str], bool],
        load: Callable[[], float],
        services: Services,
    ) -> None:
        self._agent_name = agent_name
        self._url = url
        self._reception = reception
        self._rules = rules
        self._knows = knows
        self._load = load
        self._services = services
        self._calls: dict[str, RoomCall] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._promised: dict[str, tuple[str, float]] = {}
        self.tell: Callable[[str, Outcome, str], None] = lambda job_id, outcome, error: None
        """Told how far each job is."""

    def __len__(self) -> int:
        return len(self._calls)

    def find(self, room: str) -> RoomCall | None:
        """Our agent in a room."""
        return next((call for call in self._calls.values() if call.order.room == room), None)

    # For the worker.

    def busyness(self) -> Busyness:
        return Busyness(
            round(self._load(), 2), len(self._calls), self._room_left() <= 0, self._reception.draining
        )

    def consider(self, job: Job) -> Acceptance | Decline:
        """Whether this process would go. A room gets one agent of a name; an agent that nobody knows is
        nobody's, and another process would not know it either."""
        agent, _ = read_brief(job.metadata)
        if self._is_taken(job) or not self._knows(agent):
            _log.info("a job is not taken", room=job.room, agent=agent)
            return Decline(for_good=True)
        if self._reception.draining or self._room_left() <= 0:
            return Decline(for_good=False)
        self._promised[job.room] = job.id, time.monotonic()
        return Acceptance(f"agent-{job.id}", agent or self._agent_name, self.attributes())

    def _is_taken(self, job: Job) -> bool:
        """Whether an agent of ours is in the room of a job, or about to go there by another."""
        now = time.monotonic()
        self._promised = {room: kept for room, kept in self._promised.items() if now - kept[1] < PROMISE_S}
        promised, _ = self._promised.get(job.room, (job.id, now))
        return self.find(job.room) is not None or (promised != job.id and not job.resuming)

    def assign(self, job: Job, url: str, token: str) -> None:
        self._promised.pop(job.room, None)
        agent, variables = read_brief(job.metadata)
        self.go(job.id, Order(job.room, url or self._url, token, self._agent_name, agent, variables))

    def terminate(self, job_id: str) -> None:
        call = self._calls.get(job_id)
        if call is not None:
            call.end(EndReason.AGENT_HUNG_UP)

    # For the house.

    def attributes(self) -> dict[str, str]:
        """What our agents are known by in rooms."""
        sent = f"{time.time_ns() // 1_000_000:015d}"
        return {NAMED: self._agent_name, SINCE: sent, "lk.agent.state": "initializing"}

    def check_room(self) -> None:
        """Raises LimitError where no agent can go into a room now."""
        if self._reception.draining or self._room_left() <= 0:
            raise LimitError("no capacity for another call now")

    def go(self, id: str, order: Order) -> None:
        """Send an agent into a room; `id` is the job's, or one of our own."""
        call = self._calls[id] = RoomCall(order, self._reception, self._rules, self._services)
        self.tell(id, Outcome.RUNNING, "")
        task = self._tasks[id] = asyncio.create_task(self._attend(id, call), name=f"room:{id}")
        task.add_done_callback(lambda done: self._gone(id))

    async def close(self) -> None:
        """All agents leave; calls that are not over end. Idempotent."""
        for call in tuple(self._calls.values()):
            call.end(EndReason.SERVER_STOPPED)
        if self._tasks:
            _, late = await asyncio.wait(tuple(self._tasks.values()), timeout=CLOSE_S)
            for task in late:
                task.cancel()

    def _room_left(self) -> int:
        """How many more rooms can be entered: agents who wait for a caller count as calls."""
        waiting = sum(1 for call in self._calls.values() if not call.call_id)
        return self._reception.capacity() - waiting

    async def _attend(self, id: str, call: RoomCall) -> None:
        try:
            await call.run()
        except OffhookError as error:
            _log.warning("an agent was of no use in a room", room=call.order.room, reason=error.reason)
            self.tell(id, Outcome.FAILED, error.reason)
        except Exception as error:
            _log.exception("a room failed", room=call.order.room)
            self.tell(id, Outcome.FAILED, type(error).__name__)
        else:
            self.tell(id, Outcome.SUCCESS, "")

    def _gone(self, id: str) -> None:
        self._calls.pop(id, None)
        self._tasks.pop(id, None)


def own_id() -> str:
    """For an agent that no job sends."""
    return f"own-{secrets.token_hex(6)}"
