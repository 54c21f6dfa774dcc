"""The API of the operators' queues: who waits, who works, and what rings for whom. Rings nobody."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from offhook.center.people import Presence
from offhook.center.queue_desk import QueueDesk
from offhook.web.faults import responses
from offhook.web.people import Notes, agents_of, person_of

CallId = Annotated[str, Path(max_length=64)]
Skill = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z0-9][a-z0-9_-]{0,31})$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class Waiting(BaseModel):
    """A caller in line; `wait_s` is an estimate, -1 where nobody works."""

    call_id: str
    agent: str
    language: str
    position: int
    waited_s: int
    wait_s: int


class QueueView(BaseModel):
    """`waiting` are those that this person may see; `count` is all."""

    name: str
    count: int
    waiting: list[Waiting]


class OperatorView(BaseModel):
    """`ringing` is the call that rings for them, or that they said to answer."""

    id: str
    name: str
    presence: Presence
    here: bool
    ringing: str
    idle_s: int
    skills: list[str]
    languages: list[str]


class QueueList(BaseModel):
    queues: list[QueueView]
    operators: list[OperatorView]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PresenceWish(_Wish):
    presence: Literal["available", "away"]


def queue_routes(queues: QueueDesk, notes: Notes) -> APIRouter:
    """`GET /api/queues`, `PUT /api/presence`, `POST /api/rings/{call_id}/accept|decline`."""
    routes = APIRouter(
        prefix="/api", tags=["queues"], responses=responses(400, 401, 403, 404, 409, 413, 422, 429, 503)
    )

    @routes.get("/queues", response_model=QueueList)
    async def all_queues(request: Request) -> dict[str, Any]:
        """Who waits for an operator, and who works."""
        found, agents = await queues.view(), agents_of(person_of(request))
        for queue in found["queues"]:
            queue["count"] = len(queue["waiting"])
            queue["waiting"] = [
                each for each in queue["waiting"] if agents is None or each["agent"] in agents
            ]
        return found

    @routes.put("/presence", status_code=204, response_class=Response)
    async def presence(wish: PresenceWish, request: Request) -> Response:
        """Be available for calls of queues from now on, or away."""
        person = person_of(request)
        queues.say(person, Presence(wish.presence))
        notes.note(person, "presence", presence=wish.presence)
        return Response(status_code=204)

    @routes.post("/rings/{call_id}/accept", status_code=204, response_class=Response)
    async def accept(call_id: CallId, request: Request) -> Response:
        """Answer a call that rings for you: then take it over on `/ws/live` within 15 seconds."""
        await queues.accept(person_of(request), call_id)
        return Response(status_code=204)

    @routes.post("/rings/{call_id}/decline", status_code=204, response_class=Response)
    async def decline(call_id: CallId, request: Request) -> Response:
        """Let the next operator be rung."""
        await queues.decline(person_of(request), call_id)
        return Response(status_code=204)

    return routes
