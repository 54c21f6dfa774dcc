"""The API of what the queues leave to do: users' skills, and wishes to be called back."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from offhook.center.skill_book import SkillBook
from offhook.desk.roles import serves
from offhook.foundation.clock import Clock
from offhook.foundation.errors import RefusedError
from offhook.foundation.people import Person
from offhook.storage.center import CallBack, CallBackState, CenterRows
from offhook.web.faults import responses
from offhook.web.people import Notes, agents_of, person_of

Id = Annotated[str, Path(max_length=64)]
Skill = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z0-9][a-z0-9_-]{0,31})$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SkillWish(_Wish):
    """`["*"]` is every skill; no languages are all of them."""

    skills: list[Skill] = Field(default_factory=list, max_length=50)
    languages: list[Code] = Field(default_factory=list, max_length=20)


class CallBackView(BaseModel):
    id: str
    at: datetime
    call_id: str
    agent: str
    queue: str
    number: str
    language: str
    state: CallBackState
    person: str
    name: str
    changed_at: datetime | None
    note: str


class CallBackList(BaseModel):
    call_backs: list[CallBackView]


class CallBackWish(_Wish):
    """What became of it."""

    state: CallBackState
    note: str = Field(default="", max_length=500)


def call_back_routes(rows: CenterRows, skills: SkillBook, clock: Clock, notes: Notes) -> APIRouter:
    """`PUT /api/operators/{user_id}`, `GET /api/call-backs`, `PUT /api/call-backs/{wish_id}`."""
    routes = APIRouter(prefix="/api", tags=["queues"], responses=responses(400, 401, 403, 404, 413, 422, 503))

    @routes.put("/operators/{user_id}", status_code=204, response_class=Response)
    async def operator(user_id: Id, wish: SkillWish, request: Request) -> Response:
        """What a user can do, for queues."""
        await asyncio.to_thread(rows.set_skills, user_id, wish.skills, wish.languages)
        await skills.refresh()
        notes.note(person_of(request), "skills", user=user_id, skills=wish.skills, languages=wish.languages)
        return Response(status_code=204)

    @routes.get("/call-backs", response_model=CallBackList)
    async def call_backs(
        request: Request, state: Annotated[CallBackState | None, Query()] = None
    ) -> dict[str, Any]:
        """Callers who want to be called back, the longest waiting first; at most 500."""
        found = await asyncio.to_thread(rows.call_backs, state, agents_of(person_of(request)))
        return {"call_backs": [asdict(wish) for wish in found]}

    @routes.put("/call-backs/{wish_id}", response_model=CallBackView)
    async def change(wish_id: Id, wish: CallBackWish, request: Request) -> dict[str, Any]:
        """Say what became of it."""
        person = person_of(request)
        if not _may(person, await asyncio.to_thread(rows.call_back, wish_id)):
            raise RefusedError("this call-back is not one of yours")
        changed = await asyncio.to_thread(
            rows.change, wish_id, wish.state, person.id, person.name, clock.wall(), wish.note
        )
        notes.note(person, "call_back", changed.call_id, call_back=wish_id, state=wish.state)
        return asdict(changed)

    return routes


def _may(person: Person, wish: CallBack) -> bool:
    return agents_of(person) is None or serves(person, wish.agent)
