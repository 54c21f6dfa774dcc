"""`POST /api/calls/{call_id}/wrap-up`: what came of an ended call, kept on its timeline. Judges nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from offhook.desk.roles import Action
from offhook.foundation.desk_events import WrappedUp
from offhook.foundation.errors import NotFoundError
from offhook.foundation.ids import is_call_id
from offhook.storage.base import CallStore
from offhook.web.faults import responses
from offhook.web.people import Notes, check_call, person_of

CallId = Annotated[str, Path(description="A call's id: `call_` and 26 characters.")]
LONGEST_NOTE = 2_000


class WrapUpWish(BaseModel):
    """`disposition` is the outcome's label, like "resolved" or "follow_up"; the latest one counts."""

    model_config = ConfigDict(extra="forbid")
    disposition: str = Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")
    note: str = Field(default="", max_length=LONGEST_NOTE)


def wrap_up_routes(store: CallStore, notes: Notes) -> APIRouter:
    """Who may talk on a call's line may say what came of it."""
    routes = APIRouter(tags=["calls"], responses=responses(400, 401, 403, 413, 422, 429, 503))

    @routes.post(
        "/api/calls/{call_id}/wrap-up",
        status_code=204,
        response_class=Response,
        responses=responses(404, 409),
    )
    async def wrap_up(request: Request, call_id: CallId, wish: WrapUpWish) -> Response:
        """Keep an ended call's outcome and a note with it."""
        person = person_of(request)
        await store.flush()
        call = await store.call(call_id) if is_call_id(call_id) else None
        if call is None:
            raise NotFoundError("There is no call with that id.")
        await check_call(person, Action.TALK, call, store)
        await store.append(call_id, WrappedUp(person.id, person.name, wish.disposition, wish.note.strip()))
        notes.note(person, "wrap_up", call_id, disposition=wish.disposition)
        return Response(status_code=204)

    return routes
