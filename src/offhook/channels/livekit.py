"""LiveKit, as the house knows it: tokens for callers, agents sent into rooms, the registration kept up."""

from __future__ import annotations

import asyncio
import json
import secrets
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

import structlog
from jwt.warnings import InsecureKeyLengthWarning

from offhook.channels.livekit_egress import Bucket, Egress, EgressRules, Note
from offhook.channels.livekit_room import Order, Rules, Services
from offhook.channels.livekit_rooms import Capacity, Rooms, own_id, read_brief
from offhook.channels.livekit_server import (
    Dispatched,
    Keys,
    RoomServer,
    agent_token,
    brief,
    caller_token,
    worker_token,
)
from offhook.channels.livekit_talk import HOST
from offhook.channels.livekit_worker import Registration
from offhook.foundation.errors import OffhookError
from offhook.foundation.events import CallEvent

SAFE_SECRET = 32
"""Characters; of fewer a secret may be guessed from the tokens that it signed (RFC 7518)."""
_log = structlog.get_logger(__name__)
__all__ = ["Bucket", "EgressRules", "Keys", "LiveKit", "LiveKitRules", "Pass", "Rules"]
REGISTERED_S = 2.0
TAPES_S = 3.0
"""So long it is waited, when all is over, for what LiveKit's recordings came to."""


@dataclass(frozen=True, slots=True)
class LiveKitRules:
    """`agent_name` is what rooms ask for; `direct`: agents join by themselves, without a registration.
    `public_url` is where browsers reach the server; `egress`: LiveKit records calls, too."""

    agent_name: str
    direct: bool
    public_url: str
    token_life: timedelta
    rooms: Rules
    egress: EgressRules | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """What lets one caller into a room."""

    token: str
    url: str
    room: str
    identity: str


async def _forgotten(call_id: str, event: CallEvent) -> None:
    """For those who keep no timelines."""


class LiveKit:
    """`note(call_id, event)` puts something on a call's timeline, live or not. `start` and `close` once.
    Several of them, of several processes, may serve one LiveKit server."""

    def __init__(
        self,
        keys: Keys,
        rules: LiveKitRules,
        reception: Capacity,
        agents: frozenset[str],
        load: Callable[[], float],
        note: Note = _forgotten,
    ) -> None:
        self._keys = keys
        self._rules = rules
        self._server = RoomServer(keys)
        self._egress = Egress(self._server, rules.egress, note) if rules.egress is not None else None
        self._taping: set[asyncio.Task[None]] = set()
        self.rooms = Rooms(
            rules.agent_name,
            keys.url,
            reception,
            rules.rooms,
            lambda agent: not agent or agent in agents,
            load,
            Services(self._server.remove, self._server.refer, self._tape),
        )
        self.registration: Registration | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def start(self) -> None:
        """Register, where the server is to send agents."""
        if len(self._keys.secret) < SAFE_SECRET:
            warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)  # once is enough
            _log.warning("the LiveKit secret is short: safe on this machine alone", characters=SAFE_SECRET)
        if self._rules.direct:
            return
        self.registration = Registration(self._address, self._rules.agent_name, self.rooms)
        self.rooms.tell = self.registration.tell
        self._spawn(self.registration.run())

    async def close(self) -> None:
        """Leave all rooms and the server. Idempotent."""
        await self.rooms.close()
        if self._taping:
            await asyncio.wait(tuple(self._taping), timeout=TAPES_S)
        for task in (*self._tasks, *self._taping):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._taping, return_exceptions=True)
        await self._server.close()

    def check(self, room: str) -> None:
        """Raises LimitError where no agent of this process could go to a room that has none."""
        if self._rules.direct and self.rooms.find(room) is None:
            self.rooms.check_room()

    def admit(self, room: str, identity: str, name: str, agent: str, *, host: bool = False) -> Pass:
        """What lets a caller into a room that has, or is to get, this agent. `host`: may speak through it.
        Raises LimitError."""
        identity = identity or f"caller-{secrets.token_hex(6)}"
        dispatch = None if self._rules.direct else (self._rules.agent_name, brief(agent))
        self.check(room)
        if self._rules.direct and self.rooms.find(room) is None:
            self._spawn(self._join(room, agent, {}))
        attributes = {HOST: "1"} if host else None
        token = caller_token(self._keys, room, identity, name, self._rules.token_life, dispatch, attributes)
        return Pass(token, self._rules.public_url or self._keys.url, room, identity)

    async def dispatch(self, room: str, agent: str, metadata: str) -> Dispatched:
        """Send an agent into a room. Raises ProviderError, LimitError."""
        _, variables = read_brief(_wrapped(metadata))
        if not self._rules.direct:
            turn = self._asking.setdefault(room, asyncio.Lock())
            await self._registered()
            async with turn:  # who asks at the same moment is told of the first one's
                return await self._server.dispatch(room, self._rules.agent_name, brief(agent, variables))
        here = self.rooms.find(room) is not None
        if not here:
            self.rooms.check_room()
            here = not await self._join(room, agent, variables)
        return Dispatched("", room, new=not here)

    async def _registered(self) -> None:
        """A server that knows no worker yet would never send one; another process's worker may do, though."""
        if self.registration is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(REGISTERED_S):
                await self.registration.known.wait()

    async def _join(self, room: str, agent: str, variables: dict[str, str]) -> bool:
        """Go into a room that nobody sends us to; False where an agent of ours is there."""
        try:
            taken = await self._server.agents_in(room, self._rules.agent_name)
        except OffhookError:
            taken = ()  # the room itself will tell
        if taken or self.rooms.find(room) is not None:
            return False
        id = own_id()
        name = agent or self._rules.agent_name
        token = agent_token(self._keys, room, f"agent-{id}", name, self.rooms.attributes())
        self.rooms.go(id, Order(room, self._keys.url, token, self._rules.agent_name, agent, variables))
        return True

    def _tape(self, room: str, call_id: str, over: asyncio.Event) -> None:
        if self._egress is None:
            return
        task = asyncio.create_task(self._egress.record(room, call_id, over), name=f"egress:{call_id}")
        self._taping.add(task)
        task.add_done_callback(self._taping.discard)

    def _address(self) -> tuple[str, str]:
        return f"{self._keys.url}/agent", worker_token(self._keys)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(_done(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _done(work: Coroutine[Any, Any, object]) -> None:
    await work


def _wrapped(metadata: str) -> str:
    """Metadata of a dispatch through our own door: an object of variables, or one text."""
    try:
        found = json.loads(metadata) if metadata else {}
    except (ValueError, RecursionError):
        found = None
    return json.dumps({"variables": found if isinstance(found, dict) else {"metadata": metadata}})
