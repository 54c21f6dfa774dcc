"""`/api/token`, `/api/dispatch-agent`: callers let into LiveKit rooms, agents sent there. Joins nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from offhook.desk.roles import Action, may, may_on
from offhook.desk.sessions import Visitor
from offhook.foundation.errors import LimitError, RefusedError
from offhook.foundation.people import Person
from offhook.web.call_tokens import CallTokens
from offhook.web.faults import fault, responses
from offhook.web.gate import peer_of
from offhook.web.people import Notes, person_of
from offhook.web.visitors import Visitors

if TYPE_CHECKING:
    from offhook.channels.livekit import Pass
    from offhook.channels.livekit_server import Dispatched

NOT_THERE = "there are no rooms here: set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET"
_PRINTABLE = "a name without control characters, and without spaces around it"


class RoomDesk(Protocol):
    """Who lets callers into rooms."""

    def check(self, room: str) -> None:
        """Raises LimitError where no agent could go to this room now."""

    def admit(self, room: str, identity: str, name: str, agent: str, *, host: bool = False) -> Pass: ...

    async def dispatch(self, room: str, agent: str, metadata: str) -> Dispatched: ...


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    room: str = Field(min_length=1, max_length=128)
    agent: str = Field(default="", max_length=64)

    @field_validator("room", "identity", "name", check_fields=False)
    @classmethod
    def _printable(cls, value: str) -> str:
        if value and (not value.isprintable() or value != value.strip()):
            raise ValueError(_PRINTABLE)
        return value


class RoomTokenWish(_Wish):
    """An empty `identity` is made up; an empty `agent` is the default one. `host`: this participant may have
    the agent say lines (RPC `offhook.say`). `call_token` is one of `POST /api/call-tokens` for this room,
    for callers who have no other key."""

    identity: str = Field(default="", max_length=128)
    name: str = Field(default="", max_length=128)
    host: bool = False
    call_token: str = Field(default="", max_length=2_000)

    @field_validator("identity")
    @classmethod
    def _not_an_agent(cls, value: str) -> str:
        if value.startswith("agent-"):
            raise ValueError("identities that begin with agent- are those of agents")
        return value


class RoomToken(BaseModel):
    """Connect a LiveKit client to `url` with `token`. The room gets its agent once somebody enters it."""

    token: str
    url: str
    room: str
    identity: str


class DispatchWish(_Wish):
    """`metadata`: a JSON object of variables of the call, or any text."""

    metadata: str = Field(default="", max_length=4_096)


class DispatchView(BaseModel):
    """`created` is false where the room has such an agent, or is about to get one: it gets no second one."""

    room: str
    agent: str
    dispatch_id: str
    created: bool


def livekit_routes(
    desk: RoomDesk | None,
    visitors: Visitors,
    tokens: CallTokens,
    agent: Callable[[str], str],
    notes: Notes,
) -> APIRouter:
    """`agent(name)` is the name of an agent that there is; raises NotFoundError. Without a `desk` all answers
    are 503."""
    routes = APIRouter(
        prefix="/api", tags=["livekit"], responses=responses(400, 401, 403, 404, 413, 422, 429, 502, 503)
    )

    @routes.post("/token", response_model=RoomToken)
    async def token(wish: RoomTokenWish, request: Request) -> RoomToken | Response:
        """A token for one participant of a LiveKit room, and where the server is."""
        person, name, refused = _admitted(wish, request, visitors, tokens)
        if refused is not None:
            return refused
        if desk is None:
            raise LimitError(NOT_THERE, retryable=False)
        if wish.host and person is None:
            raise RefusedError("a call token lets nobody speak through the agent")
        name = agent(name)
        if wish.host and person is not None and not may_on(person, Action.TALK, name):
            raise RefusedError("you may not speak through this agent")
        desk.check(wish.room)
        if wish.call_token:  # nothing refuses any more: now it is used
            tokens.redeem(wish.call_token)
        given = desk.admit(wish.room, wish.identity, wish.name, name, host=wish.host)
        if person is not None:  # who enters a room hears its call
            notes.note(
                person, "room_token", room=given.room, identity=given.identity, agent=name, host=wish.host
            )
        return RoomToken(token=given.token, url=given.url, room=given.room, identity=given.identity)

    @routes.post("/dispatch-agent", response_model=DispatchView, responses={201: {"model": DispatchView}})
    async def dispatch(wish: DispatchWish, request: Request) -> JSONResponse:
        """Send an agent into a room, which is made where there is none. 201, or 200 where it has one."""
        if desk is None:
            raise LimitError(NOT_THERE, retryable=False)
        name = agent(wish.agent)
        sent = await desk.dispatch(wish.room, name, wish.metadata)
        notes.note(person_of(request), "dispatch_agent", room=wish.room, agent=name)
        shown = DispatchView(room=sent.room, agent=name, dispatch_id=sent.id, created=sent.new)
        return JSONResponse(shown.model_dump(), 201 if sent.new else 200)

    return routes


def _admitted(
    wish: RoomTokenWish, request: Request, visitors: Visitors, tokens: CallTokens
) -> tuple[Person | None, str, Response | None]:
    """Who asks (None: somebody with a call token), for which agent, or why not. Raises RefusedError."""
    if wish.call_token:
        name = tokens.peek(wish.call_token)
        if tokens.room_of(wish.call_token) != wish.room:
            raise RefusedError("this call token does not open this room; one is made with its name as `room`")
        return None, name, None
    found = visitors.of(request.headers, peer_of(request.scope))
    if not isinstance(found, Visitor):
        return None, "", fault(found.status, found.reason, found.code)
    if not may(found.person.role, Action.OPEN_CONSOLE):
        return None, "", fault(403, "your role may not do this")
    return found.person, wish.agent, None
