"""What a LiveKit server is asked over HTTP, and the tokens that open its rooms. Joins no room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import aiohttp
from livekit import api
from livekit.protocol import agent as proto_agent

from offhook.foundation.errors import DeniedError, NotFoundError, ProviderError

NAME = "livekit"
SECONDS = 5.0
NAMED = "offhook.agent_name"
"""Attribute of our agents in rooms: what they are dispatched as."""
SINCE = "offhook.since"
"""Attribute of our agents in rooms: when they were sent, as a number that may be compared as text."""
WORKER_TTL = timedelta(minutes=5)
AGENT_TTL = timedelta(hours=1)
T = TypeVar("T")
_LIVE = (proto_agent.JobStatus.JS_PENDING, proto_agent.JobStatus.JS_RUNNING)


@dataclass(frozen=True, slots=True)
class Keys:
    """Of one server; `url` is a WebSocket's."""

    url: str
    key: str
    secret: str

    def __repr__(self) -> str:
        return f"Keys({self.url!r})"

    @property
    def http(self) -> str:
        """Where the server's API is."""
        return "http" + self.url.removeprefix("ws")


@dataclass(frozen=True, slots=True)
class Dispatched:
    """An agent was sent to a room; `new`: it was not on its way, or there, before."""

    id: str
    room: str
    new: bool


def brief(agent: str, variables: dict[str, str] | None = None) -> str:
    """What a dispatch tells about the call, as its metadata."""
    return json.dumps({"agent": agent, **({"variables": variables} if variables else {})})


def worker_token(keys: Keys) -> str:
    """Opens the worker's socket."""
    grants = api.VideoGrants(agent=True)
    return api.AccessToken(keys.key, keys.secret).with_grants(grants).with_ttl(WORKER_TTL).to_jwt()


def agent_token(keys: Keys, room: str, identity: str, name: str, attributes: dict[str, str]) -> str:
    """Lets an agent of ours into a room that nobody sent it to."""
    grants = api.VideoGrants(
        room_join=True, room=room, agent=True, can_update_own_metadata=True, can_publish=True
    )
    token = api.AccessToken(keys.key, keys.secret).with_identity(identity).with_name(name).with_kind("agent")
    return token.with_attributes(attributes).with_grants(grants).with_ttl(AGENT_TTL).to_jwt()


def caller_token(
    keys: Keys,
    room: str,
    identity: str,
    name: str,
    ttl: timedelta,
    dispatch: tuple[str, str] | None,
    attributes: dict[str, str] | None = None,
) -> str:
    """Lets a person into a room: microphone, data, hearing; no camera, no power over others. `dispatch`: the
    agent that the room is to get (its name, its metadata)."""
    grants = api.VideoGrants(
        room_join=True,
        room=room,
        can_publish=True,
        can_publish_sources=["microphone"],
        can_subscribe=True,
        can_publish_data=True,
        can_update_own_metadata=False,
    )
    token = api.AccessToken(keys.key, keys.secret).with_identity(identity).with_name(name or identity)
    token = token.with_grants(grants).with_ttl(ttl)
    if attributes:
        token = token.with_attributes(attributes)
    if dispatch is not None:
        sent = api.RoomAgentDispatch(agent_name=dispatch[0], metadata=dispatch[1])
        token = token.with_room_config(api.RoomConfiguration(agents=[sent]))
    return token.to_jwt()


RINGING_S = 20
EGRESS_S = 20.0
"""So long an egress service may take to begin: it starts a recorder."""
LONGEST_S = 30.0


class RoomServer:
    """The server's API. All methods raise ProviderError: DeniedError for wrong keys, retryable where it is
    not there."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._session: aiohttp.ClientSession | None = None

    async def dispatch(self, room: str, agent_name: str, metadata: str) -> Dispatched:
        """Send an agent to a room, which is made where there is none. A room that has one already, or is to
        get one, gets no second one."""
        here = await self._standing(room, agent_name)
        if here is not None:
            return Dispatched(here, room, new=False)
        made = await self._do(
            self._services().agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(agent_name=agent_name, room=room, metadata=metadata)
            )
        )
        return Dispatched(made.id, room, new=True)

    async def _standing(self, room: str, agent_name: str) -> str | None:
        """The id of a dispatch whose agent is there, or on its way."""
        rooms = await self._do(self._services().room.list_rooms(api.ListRoomsRequest(names=[room])))
        if not rooms.rooms:  # of a room that is not there the server would wait in vain for an answer
            return None
        for one in await self._do(self._services().agent_dispatch.list_dispatch(room)):
            if one.agent_name == agent_name and not one.state.deleted_at:
                jobs: Sequence[proto_agent.Job] = one.state.jobs
                if not jobs or any(job.state.status in _LIVE for job in jobs):
                    return str(one.id)
        return None

    async def remove(self, room: str, identity: str) -> None:
        """Throw somebody out of a room. One who is not there is no trouble."""
        wish = api.RoomParticipantIdentity(room=room, identity=identity)
        with suppress(NotFoundError):
            await self._do(self._services().room.remove_participant(wish))

    async def refer(self, room: str, identity: str, to: str) -> None:
        """Have LiveKit's telephony put a caller through (SIP REFER) to a `tel:` or `sip:` address; whoever
        they are put through to may take RINGING_S to answer. Raises also where that did not come about."""
        wish = api.TransferSIPParticipantRequest(
            room_name=room, participant_identity=identity, transfer_to=to
        )
        wish.ringing_timeout.FromSeconds(RINGING_S)
        asked = self._services().sip.transfer_sip_participant(wish, timeout=RINGING_S + SECONDS)
        found = await self._do(asked, RINGING_S + SECONDS)
        if found.status != api.SIPTransferStatus.STS_TRANSFER_SUCCESSFUL:
            raise ProviderError(NAME, "the caller could not be put through", retryable=False)

    async def agents_in(self, room: str, agent_name: str) -> Sequence[str]:
        """Identities of the agents of this name in a room; none where there is no such room."""
        try:
            wish = api.ListParticipantsRequest(room=room)
            found = await self._do(self._services().room.list_participants(wish))
        except NotFoundError:
            return ()
        return [one.identity for one in found.participants if one.attributes.get(NAMED) == agent_name]

    async def start_egress(self, wish: api.RoomCompositeEgressRequest) -> api.EgressInfo:
        """Have an egress service record a room. A server without one would not answer, so it is asked before
        whether there is one."""
        await self._do(
            self._services().egress.list_egress(api.ListEgressRequest(room_name=wish.room_name, active=True))
        )
        return await self._do(self._services().egress.start_room_composite_egress(wish), EGRESS_S)

    async def stop_egress(self, id: str) -> None:
        """The recording ends; its file is still to come. Raises also where it has ended before."""
        await self._do(self._services().egress.stop_egress(api.StopEgressRequest(egress_id=id)))

    async def find_egress(self, id: str) -> api.EgressInfo | None:
        """How far a recording is."""
        found = await self._do(self._services().egress.list_egress(api.ListEgressRequest(egress_id=id)))
        return next(iter(found.items), None)

    async def close(self) -> None:
        """Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _services(self) -> api.LiveKitAPI:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LONGEST_S))
        keys = self._keys
        return api.LiveKitAPI(keys.http, keys.key, keys.secret, session=self._session, failover=False)

    async def _do(self, asked: Awaitable[T], seconds: float = SECONDS) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await asked
        except TimeoutError:
            raise ProviderError(NAME, "did not answer in time") from None
        except aiohttp.ClientError:
            raise ProviderError(NAME, "cannot be reached") from None
        except api.TwirpError as error:
            raise _refused(error) from None


def _refused(error: api.TwirpError) -> ProviderError | NotFoundError:
    """What an answer of the server's means; its own words are not shown."""
    if error.status in (401, 403):
        return DeniedError(NAME, "refused api_key or api_secret")
    if error.code == api.TwirpErrorCode.NOT_FOUND:
        return NotFoundError("there is no such room")
    if "egress not connected" in error.message:
        return ProviderError(NAME, "has no egress service (nor the Redis that it needs)", retryable=False)
    return ProviderError(NAME, f"refused ({error.code})", retryable=error.status >= 500)
