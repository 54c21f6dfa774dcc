"""The API of live calls: the floor, and what is done to a call without a seat on it. Opens no sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from offhook.desk.desk import Desk
from offhook.desk.errands import Errand, run
from offhook.desk.floor_board import FloorBoard
from offhook.foundation.errors import NotFoundError
from offhook.foundation.people import Person
from offhook.protocols.live import MAX_INSTRUCT, MAX_NUMBER, MAX_SAY
from offhook.web.faults import responses
from offhook.web.people import person_of
from offhook.web.warm_routes import add_warm_routes

CallId = Annotated[str, Path(max_length=64, description="A live call's id, or the one its client gave it.")]


class Floor(BaseModel):
    """Calls, those that need a human most first; see docs/desk.md for what a card has."""

    calls: list[dict[str, Any]]
    counters: dict[str, int]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SayWish(_Wish):
    """The agent's voice says this to the caller."""

    text: str = Field(min_length=1, max_length=MAX_SAY)


class InstructWish(_Wish):
    """The agent is told this; the caller does not hear it."""

    text: str = Field(min_length=1, max_length=MAX_INSTRUCT)


class InjectWish(_Wish):
    """A prepared clip sounds to the caller."""

    clip: str = Field(min_length=1, max_length=100)


class HoldWish(_Wish):
    on: bool


class TransferWish(_Wish):
    """The caller goes to a phone number or a `sip:` address; the call here ends."""

    to: str = Field(min_length=1, max_length=MAX_NUMBER)


class Afar(Protocol):
    """Calls of other processes of this house."""

    async def errand(self, person: Person, call_id: str, errand: Mapping[str, Any]) -> bool:
        """Do it where the call is; False where nobody has it. Raises what `run` raises."""

    async def refresh(self) -> None:
        """Have the board know their cards as they are now."""


class NoOneAfar:
    """Implements Afar for a house of one process."""

    async def errand(self, person: Person, call_id: str, errand: Mapping[str, Any]) -> bool:
        return False

    async def refresh(self) -> None: ...


def live_routes(desk: Desk, board: FloorBoard, afar: Afar | None = None) -> APIRouter:
    """`GET /api/live`, and `POST /api/live/{call_id}/say|instruct|inject|hold|transfer|coach`."""
    elsewhere = afar or NoOneAfar()
    routes = APIRouter(
        prefix="/api/live", tags=["live"], responses=responses(400, 401, 403, 404, 409, 413, 422, 429, 503)
    )

    async def do(request: Request, call_id: str, kind: Errand, **fields: Any) -> Response:
        person = person_of(request)
        errand = {"kind": kind, **fields}
        if desk.find(call_id) is not None:
            await run(desk, person, call_id, errand)
        elif not await elsewhere.errand(person, call_id, errand):
            raise NotFoundError("there is no live call with that id")
        return Response(status_code=204)

    @routes.get("", response_model=Floor)
    async def live(request: Request) -> dict[str, Any]:
        """The calls that are live now, as the floor shows them."""
        await elsewhere.refresh()
        found = board.whole(person_of(request))
        return {"calls": found["calls"], "counters": found["counters"]}

    @routes.post("/{call_id}/say", status_code=204, response_class=Response)
    async def say(request: Request, call_id: CallId, wish: SayWish) -> Response:
        """Have the agent's voice say a line to the caller now."""
        return await do(request, call_id, Errand.SAY, text=wish.text)

    @routes.post("/{call_id}/instruct", status_code=204, response_class=Response)
    async def instruct(request: Request, call_id: CallId, wish: InstructWish) -> Response:
        """Tell the agent something that the caller does not hear."""
        return await do(request, call_id, Errand.INSTRUCT, text=wish.text)

    @routes.post("/{call_id}/inject", status_code=204, response_class=Response)
    async def inject(request: Request, call_id: CallId, wish: InjectWish) -> Response:
        """Play a prepared clip to the caller."""
        return await do(request, call_id, Errand.INJECT, clip=wish.clip)

    @routes.post("/{call_id}/hold", status_code=204, response_class=Response)
    async def hold(request: Request, call_id: CallId, wish: HoldWish) -> Response:
        """Put the caller on hold, or take them off it."""
        return await do(request, call_id, Errand.HOLD, on=wish.on)

    @routes.post("/{call_id}/transfer", status_code=204, response_class=Response)
    async def transfer(request: Request, call_id: CallId, wish: TransferWish) -> Response:
        """Put a telephone's caller through to a number."""
        return await do(request, call_id, Errand.TRANSFER, to=wish.to)

    @routes.post("/{call_id}/coach", status_code=204, response_class=Response)
    async def coach(request: Request, call_id: CallId) -> Response:
        """Have the coach make a card about the last turn, for the operators who are seated."""
        return await do(request, call_id, Errand.COACH)

    add_warm_routes(routes, desk, do, _agents(desk, board, elsewhere))
    return routes


def _agents(desk: Desk, board: FloorBoard, elsewhere: Afar) -> Callable[[Person, str], Awaitable[str]]:
    """Who finds a live call's agent, in whichever process the call is. Raises NotFoundError."""

    async def agent_of(person: Person, call_id: str) -> str:
        call = desk.find(call_id)
        if call is not None:
            return call.agent
        await elsewhere.refresh()
        cards = {card["call_id"]: card for card in board.cards(person)}
        if call_id not in cards:
            raise NotFoundError("there is no live call with that id")
        return str(cards[call_id]["agent"])

    return agent_of
