"""The API of warm transfers on live calls: who could be asked, asking, and what whoever is asked does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from offhook.desk.desk import Desk
from offhook.desk.errands import Errand
from offhook.desk.roles import Action, may_on
from offhook.foundation.errors import RefusedError
from offhook.foundation.people import Person
from offhook.protocols.live import MAX_TARGET, MAX_VALUE
from offhook.web.people import person_of

CallId = Annotated[str, Path(max_length=64, description="A live call's id, or the one its client gave it.")]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Colleague(BaseModel):
    id: str
    name: str
    role: str
    queues: list[str]


class Colleagues(BaseModel):
    """Who is available, the longest idle first."""

    people: list[Colleague]


class WarmWish(_Wish):
    """Somebody is asked to take the call, told about it in private, then connected. `to`: `anyone`,
    `role:ROLE`, `queue:NAME` or `person:ID`; `coach`: the AI stays to coach them; `auto`: they are connected
    once they were told."""

    to: str = Field(default="anyone", min_length=1, max_length=MAX_TARGET)
    reason: str = Field(default="", max_length=MAX_VALUE)
    coach: bool = True
    auto: bool = False


class ConnectWish(_Wish):
    """`coach`: the AI stays to coach; absent: as it was asked."""

    coach: bool | None = None


class Do(Protocol):
    """Has an errand done, in whichever process the call is."""

    async def __call__(self, request: Request, call_id: str, kind: Errand, **fields: Any) -> Response: ...


AgentOf = Callable[[Person, str], Awaitable[str]]
"""The agent of a live call that a person may see, in whichever process it is. Raises NotFoundError."""


def add_warm_routes(routes: APIRouter, desk: Desk, do: Do, agent_of: AgentOf) -> None:
    """`GET …/{call_id}/colleagues`, `POST …/{call_id}/warm`, `…/warm/accept|decline|connect|cancel`."""

    @routes.get("/{call_id}/colleagues", response_model=Colleagues)
    async def colleagues(request: Request, call_id: CallId) -> dict[str, Any]:
        """Who could be asked to take a live call now."""
        person = person_of(request)
        agent = await agent_of(person, call_id)
        if not may_on(person, Action.TALK, agent):
            raise RefusedError("you may not do this on this call")
        found = await desk.warm.colleagues(person, agent) if desk.warm is not None else []
        people = [
            {
                "id": each.person.id,
                "name": each.person.name,
                "role": each.person.role,
                "queues": sorted(each.queues),
            }
            for each in found
        ]
        return {"people": people}

    @routes.post("/{call_id}/warm", status_code=204, response_class=Response)
    async def warm(request: Request, call_id: CallId, wish: WarmWish) -> Response:
        """Ask somebody to take the call (a warm transfer)."""
        return await do(request, call_id, Errand.WARM, **wish.model_dump())

    @routes.post("/{call_id}/warm/accept", status_code=204, response_class=Response)
    async def accept(request: Request, call_id: CallId) -> Response:
        """Come: then sit down by `/ws/live` with the stance `consult`."""
        return await do(request, call_id, Errand.WARM_ACCEPT)

    @routes.post("/{call_id}/warm/decline", status_code=204, response_class=Response)
    async def decline(request: Request, call_id: CallId) -> Response:
        """Do not take the call: the next one is asked, or the caller has the agent back."""
        return await do(request, call_id, Errand.WARM_DECLINE)

    @routes.post("/{call_id}/warm/connect", status_code=204, response_class=Response)
    async def connect(request: Request, call_id: CallId, wish: ConnectWish) -> Response:
        """Take the call, having been told about it."""
        return await do(request, call_id, Errand.WARM_CONNECT, coach=wish.coach)

    @routes.post("/{call_id}/warm/cancel", status_code=204, response_class=Response)
    async def cancel(request: Request, call_id: CallId) -> Response:
        """Ask nobody any more."""
        return await do(request, call_id, Errand.WARM_CANCEL)
