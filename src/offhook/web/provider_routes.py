"""`GET /api/providers`: how each provider of speech and models is doing. Asks no vendor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter
from pydantic import BaseModel

from offhook.speech.breaker import Health, State
from offhook.web.faults import responses


class ProviderState(BaseModel):
    """One provider in its place of an order. `kind` is stt, llm or tts; `failures` and `rescues` count since
    the start: a rescue is a request that it served because one before it in the order did not. `reason` is
    what went wrong last, empty while it is well."""

    kind: str
    provider: str
    state: State
    failures: int
    rescues: int
    reason: str


class Providers(BaseModel):
    """Every provider that the settings name, each kind in its order. Where several processes are one house:
    the worst state that it has in one of them, and what they count together."""

    providers: list[ProviderState]


def provider_routes(health: Callable[[], Awaitable[Sequence[Health]]]) -> APIRouter:
    """The route; `health` gives the states of now."""
    routes = APIRouter(prefix="/api", tags=["providers"], responses=responses(400, 401, 403, 429))

    @routes.get("/providers", response_model=Providers)
    async def providers() -> Providers:
        return Providers(
            providers=[
                ProviderState(
                    kind=one.kind,
                    provider=one.provider,
                    state=one.state,
                    failures=one.failures,
                    rescues=one.rescues,
                    reason=one.reason,
                )
                for one in await health()
            ]
        )

    return routes
