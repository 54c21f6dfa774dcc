"""`/healthz` (the process answers) and `/readyz` (it takes new calls, or why not). Probes nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from offhook.web.ports import Directory


class Health(BaseModel):
    status: str


class Readiness(BaseModel):
    """`ready` is false while draining, full, or for a reason that a part of the server reports."""

    ready: bool
    reasons: list[str]
    calls: int


def health_routes(directory: Directory, troubles: Callable[[], Sequence[str]] = tuple) -> APIRouter:
    """Both routes. `troubles` gives reasons of other parts (one short phrase each) not to take calls now."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", response_model=Health)
    async def healthz() -> Health:
        return Health(status="ok")

    @routes.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
    async def readyz() -> JSONResponse:
        reasons = list(troubles())
        if directory.draining:
            reasons.append("draining")
        elif directory.capacity() == 0:
            reasons.append("full")
        state = Readiness(ready=not reasons, reasons=reasons, calls=directory.count())
        return JSONResponse(state.model_dump(), 200 if state.ready else 503)

    return routes
