"""The API of routing: the rules as they are, and what would happen to a call. Changes no rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from offhook.center.conditions import Situation
from offhook.center.routing import Table
from offhook.center.trial import explain, moment, verdicts
from offhook.foundation.errors import WireError
from offhook.web.faults import responses

Short = Annotated[str, StringConstraints(max_length=256)]
Name = Annotated[str, StringConstraints(max_length=64)]


class RuleView(BaseModel):
    """`verdict` is fits, no or not reached; empty where nothing was tried. `live`: it may move a call in
    mid-call."""

    name: str
    asks: str
    target: str
    live: bool
    verdict: str
    why: str


class Rules(BaseModel):
    """In the order they are tried; `default` is where a call goes that none fits."""

    rules: list[RuleView]
    default: str


class Trial(BaseModel):
    """A call that might come; what is left out is not known. `at` is ISO 8601, now where it is empty; without
    an offset it is a time of `timezone`, or of the server."""

    model_config = ConfigDict(extra="forbid")

    number: Short = ""
    caller: Short = ""
    channel: Literal["phone", "browser", "webrtc", "livekit", "device", "text"] = "phone"
    agent: Name = ""
    language: Name = ""
    intent: Name = ""
    sentiment: float | None = Field(default=None, ge=-1, le=1)
    at: Name = ""
    timezone: Name = ""
    returning: bool = False
    load: float = Field(default=0.0, ge=0, le=1)
    refers: bool = False
    """A caller in a LiveKit room who came by telephone (SIP)."""
    variables: dict[Name, Short] = Field(default_factory=dict, max_length=50)


class Outcome(BaseModel):
    """Where the call would go at this moment, by which rule (empty: the default) and why."""

    target: str
    rule: str
    why: str
    at: datetime
    rules: list[RuleView]


def routing_routes(table: Table, wall: Callable[[], datetime]) -> APIRouter:
    """`GET /api/routing`, `POST /api/routing/try`."""
    routes = APIRouter(prefix="/api/routing", tags=["routing"], responses=responses(400, 401, 403, 413, 422))

    @routes.get("", response_model=Rules)
    async def rules() -> dict[str, Any]:
        """The rules of offhook.toml, in the order they are tried."""
        return {"rules": [rule.as_json() for rule in verdicts(table)], "default": str(table.default)}

    @routes.post("/try", response_model=Outcome)
    async def attempt(trial: Trial) -> dict[str, Any]:
        """What would happen to such a call, and why each rule fits or does not. Nothing is begun."""
        try:
            at = moment(trial.at, trial.timezone, wall())
        except ValueError as error:
            raise WireError(f"at: {error}") from None
        known = trial.model_dump(exclude={"at", "timezone"})
        decision, found = explain(table, Situation(at, **known))
        return {
            "target": str(decision.target),
            "rule": decision.rule,
            "why": decision.why,
            "at": at,
            "rules": [rule.as_json() for rule in found],
        }

    return routes
