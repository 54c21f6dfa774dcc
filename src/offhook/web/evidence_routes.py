"""The API of evidence: a call's package, its entities, the node's public key. Signs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from offhook.desk.evidence.desk import EvidenceDesk
from offhook.desk.evidence.package import Package
from offhook.desk.roles import Action
from offhook.foundation.errors import LimitError, NotFoundError
from offhook.foundation.ids import is_call_id
from offhook.storage.base import CallStore
from offhook.web.faults import responses
from offhook.web.people import Notes, check_call, person_of
from offhook.web.ranges import SoundResponse

AT_ONCE = 2
"""Exports of one process: each decodes the recording several times."""
CallId = Annotated[str, Path(description="A call's id: `call_` and 26 characters.")]


class NodeKeyBody(BaseModel):
    """The key with which this house signs evidence. `public_key` is PEM; compare `fingerprint`, the SHA-256
    of its 32 bytes, with the one in a package."""

    algorithm: str
    public_key: str
    fingerprint: str


class EntityWish(BaseModel):
    """Pin the entity `id` (or let it go), or, without an id, add one: `type`, `value`, and `at_ms` of media
    time."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(default="", max_length=64)
    pinned: bool = True
    type: str = Field(default="", max_length=32)
    value: str = Field(default="", max_length=500)
    at_ms: int | None = Field(default=None, ge=0, le=86_400_000)


class Entities(BaseModel):
    """All entities of a call, the pinned ones first."""

    entities: list[dict[str, Any]]


def evidence_routes(desk: EvidenceDesk, store: CallStore, notes: Notes) -> APIRouter:
    """Packages go to who may export a call; entities are pinned by who may see it."""
    routes = APIRouter(tags=["evidence"], responses=responses(400, 401, 403, 422, 429, 503))
    busy: set[object] = set()

    async def check(request: Request, call_id: str, action: Action) -> None:
        found = await store.call(call_id) if is_call_id(call_id) else None
        if found is None:
            raise NotFoundError("There is no call with that id.")
        await check_call(person_of(request), action, found, store)

    @routes.get("/api/node-key", response_model=NodeKeyBody)
    async def key() -> NodeKeyBody:
        """With what evidence of this house is verified."""
        found = await desk.public_key()
        return NodeKeyBody(algorithm="Ed25519", public_key=found.pem.decode(), fingerprint=found.fingerprint)

    @routes.get(
        "/api/calls/{call_id}/evidence",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}}, **responses(404, 409)},
    )
    async def package(request: Request, call_id: CallId) -> Response:
        """Everything that is kept of an ended call as one signed ZIP (docs/evidence.md)."""
        await check(request, call_id, Action.EXPORT)
        if len(busy) >= AT_ONCE:
            raise LimitError("other evidence is being exported: try again soon")
        mark = object()
        busy.add(mark)
        try:
            person = person_of(request)
            notes.note(person, "export", call_id)
            found = await desk.package(call_id, person)
            headers = {
                "Content-Length": str(found.size),
                "Content-Disposition": f'attachment; filename="evidence-{call_id}.zip"',
                "Cache-Control": "private, no-store",
            }
            chunks = _until(found, lambda: busy.discard(mark))
            return await run_in_threadpool(SoundResponse, chunks, 200, headers, "application/zip")
        except BaseException:
            busy.discard(mark)
            raise

    @routes.post("/api/calls/{call_id}/entities", response_model=Entities, responses=responses(404, 409))
    async def pin(request: Request, call_id: CallId, wish: EntityWish) -> Entities:
        """Pin an entity of a call, live or ended, let it go, or add one."""
        await check(request, call_id, Action.SEE_CALL)
        person = person_of(request)
        added = None if wish.id else {"type": wish.type, "value": wish.value, "at_ms": wish.at_ms}
        found = await desk.pin(call_id, person, wish.id, wish.pinned, added)
        notes.note(person, "pin", call_id, entity=wish.id or "added", pinned=wish.pinned)
        return Entities(entities=found)

    return routes


def _until(package: Package, done: Any) -> Iterator[bytes]:
    """The package's bytes; `done` is called at the end, or when nobody wants more."""
    try:
        yield from package.chunks()
    finally:
        done()
