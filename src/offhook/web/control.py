"""The API that begins and ends things: call a phone, hang up a call, mint a call token; and names the agents.

Reads no kept calls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from offhook.desk.roles import Action, Reach, may_on, reach
from offhook.foundation.agent import Agent
from offhook.foundation.errors import LimitError, NotFoundError, RefusedError
from offhook.foundation.events import EndReason
from offhook.foundation.ids import is_call_id
from offhook.foundation.people import Person
from offhook.storage.base import CallStore
from offhook.web.call_tokens import LIFE_SECONDS, CallTokens
from offhook.web.faults import responses
from offhook.web.people import Notes, check_call, person_of
from offhook.web.ports import Directory, Elsewhere, Nowhere
from offhook.web.twilio_rest import TwilioRest
from offhook.web.vendor_hooks import status_url, voice_url

_VENDOR_CALL = re.compile(r"CA[0-9a-f]{32}\Z")
_NO_PHONE = "calling a phone needs public_url, twilio.account_sid, twilio.auth_token and twilio.from_number"


class AgentView(BaseModel):
    name: str
    greeting: str
    language: str


class AgentList(BaseModel):
    agents: list[AgentView]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PhoneCallWish(_Wish):
    """`to` is a phone number with its country code; an empty `agent` is the default one."""

    to: str = Field(pattern=r"^\+[1-9][0-9]{6,14}$", examples=["+15550100"])
    agent: str = Field(default="", max_length=64)


class PlacedCall(BaseModel):
    """The phone is being rung. Once it is answered the call is listed, with this `vendor_id`."""

    vendor_id: str


class CallTokenWish(_Wish):
    """A token with a `room` lets its bearer into this room of LiveKit's (`POST /api/token`), and no other."""

    agent: str = Field(default="", max_length=64)
    room: str = Field(default="", max_length=128)


class CallToken(BaseModel):
    """A secret for one browser call, to be sent as `token` of its `start` message."""

    token: str
    agent: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Switchboard:
    """What beginning and ending calls takes. `phone` is None where no account is configured."""

    directory: Directory
    agents: Mapping[str, Agent]
    default_agent: str
    tokens: CallTokens
    phone: TwilioRest | None
    public_url: str
    elsewhere: Elsewhere = field(default_factory=Nowhere)

    def agent(self, name: str) -> str:
        """The name of an agent that there is. Raises NotFoundError."""
        wanted = name or self.default_agent
        if wanted not in self.agents:
            raise NotFoundError("there is no agent of that name")
        return wanted

    async def ring(self, wish: PhoneCallWish) -> str:
        """The vendor's id of a new call. Raises LimitError, NotFoundError, ProviderError."""
        agent = self.agent(wish.agent)
        if self.phone is None or not self.public_url:
            raise LimitError(_NO_PHONE, retryable=False)
        if self.directory.capacity() == 0:
            raise LimitError("no capacity for another call now")
        return await self.phone.call(wish.to, voice_url(self.public_url, agent), status_url(self.public_url))

    async def hang_up(self, call_id: str) -> None:
        """End a live call by its id or the vendor's; one that rings by the vendor's. Raises NotFoundError."""
        for call in self.directory:
            if call_id in (call.id, call.arrival.vendor_id):
                self.directory.hang_up(call.id, EndReason.AGENT_HUNG_UP)
                return
        if await self.elsewhere.hang_up(call_id, EndReason.AGENT_HUNG_UP):
            return
        if self.phone is None or not _VENDOR_CALL.match(call_id):
            raise NotFoundError("there is no live call with that id")
        await self.phone.hang_up(call_id)


def control_routes(board: Switchboard, store: CallStore, notes: Notes) -> APIRouter:
    """`POST /api/calls`, `POST /api/calls/{call_id}/hang-up`, `POST /api/call-tokens`, `GET /api/agents`."""
    routes = APIRouter(prefix="/api", responses=responses(400, 401, 403, 413, 422, 429))

    @routes.get("/agents", response_model=AgentList, tags=["agents"])
    async def agents() -> AgentList:
        """The agents that a caller may choose from, the default one first."""
        names = sorted(board.agents, key=lambda name: (name != board.default_agent, name))
        found = [(name, board.agents[name]) for name in names]
        return AgentList(
            agents=[AgentView(name=name, greeting=a.greeting, language=a.language) for name, a in found]
        )

    @routes.post(
        "/calls",
        status_code=201,
        response_model=PlacedCall,
        responses=responses(404, 502, 503),
        tags=["calls"],
    )
    async def place(wish: PhoneCallWish, request: Request) -> PlacedCall:
        """Call a phone and connect it to an agent."""
        vendor_id = await board.ring(wish)
        notes.note(person_of(request), "place_call", vendor_id=vendor_id, to=wish.to, agent=wish.agent)
        return PlacedCall(vendor_id=vendor_id)

    @routes.post(
        "/calls/{call_id}/hang-up",
        status_code=204,
        response_class=Response,
        responses=responses(404, 502),
        tags=["calls"],
    )
    async def hang_up(
        request: Request,
        call_id: Annotated[str, Path(description="Our id, or the phone vendor's.")],
    ) -> Response:
        """End a live call of any channel, or a phone call that still rings."""
        person = person_of(request)
        await _check_hang_up(person, call_id, board, store)
        await board.hang_up(call_id)
        notes.note(person, "hang_up", call_id)
        return Response(status_code=204)

    @routes.post("/call-tokens", response_model=CallToken, responses=responses(404), tags=["calls"])
    async def call_token(wish: CallTokenWish) -> CallToken:
        """A token with which a browser may place one call within a minute."""
        agent = board.agent(wish.agent)
        token = board.tokens.mint(agent, wish.room)
        return CallToken(token=token, agent=agent, expires_in=LIFE_SECONDS)

    return routes


async def _check_hang_up(person: Person, call_id: str, board: Switchboard, store: CallStore) -> None:
    """Raises RefusedError. By the vendor's id: who may end all calls, or serves its agent."""
    if reach(person.role, Action.HANG_UP) is Reach.ALL:
        return
    record = await store.call(call_id) if is_call_id(call_id) else None
    if record is not None:
        await check_call(person, Action.HANG_UP, record, store)
        return
    arrivals = [call.arrival for call in board.directory if call_id in (call.id, call.arrival.vendor_id)]
    agents = [arrival.agent or board.default_agent for arrival in arrivals]
    if not agents or not all(may_on(person, Action.HANG_UP, agent) for agent in agents):
        raise RefusedError("this call is not one of yours")
