"""The API about calls that are kept: list, detail, transcript, recording, waveform. Changes no live call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, Field

from offhook.desk.entities.collect import collect
from offhook.desk.regulars import other_party
from offhook.desk.roles import Action
from offhook.foundation.errors import NotFoundError
from offhook.foundation.events import ChannelKind
from offhook.foundation.ids import is_call_id
from offhook.storage.base import CallRecord, CallStore, TurnRecord
from offhook.storage.playback import DamagedError
from offhook.storage.transcripts import transcript_json, transcript_text, transcript_vtt
from offhook.web.faults import fault, responses
from offhook.web.people import Notes, agents_of, check_call, person_of
from offhook.web.ports import Recordings
from offhook.web.ranges import (
    SoundResponse,
    Unsatisfiable,
    file_chunks,
    parse_range,
    sound_headers,
    unsatisfiable,
)

CallId = Annotated[str, Path(description="A call's id: `call_` and 26 characters.")]
Leg = Annotated[
    str | None,
    Query(
        pattern=r"^(caller|agent|operator|supervisor|guest-[1-9][0-9]?)$",
        description="One leg alone: `caller`, `agent`, `operator`, `supervisor`, `guest-1` and so on.",
    ),
]
_SOON_S = 1.0
_NO_CALL = "There is no call with that id."
_NO_RECORDING = "There is no recording of this call."


class CallPage(BaseModel):
    """Calls, newest first. `next` is the `before` of the next page, or null on the last."""

    calls: list[CallRecord]
    next: str | None


class Earlier(BaseModel):
    """Calls that the same number made before: how many, when the last began, and the latest that whoever
    asks may see, newest first."""

    count: int = 0
    last_at: datetime | None = None
    calls: list[CallRecord] = Field(default_factory=list)


class CallDetail(BaseModel):
    """A call, its turns in the order they began, its kept events in their flat form, what is worth keeping
    in what was said (the pinned first), and the caller's earlier calls."""

    call: CallRecord
    turns: list[TurnRecord]
    events: list[dict[str, Any]]
    entities: list[dict[str, Any]] = Field(default_factory=list)
    earlier: Earlier = Field(default_factory=Earlier)


class Transcript(BaseModel):
    call_id: str
    turns: list[dict[str, Any]]


class Peaks(BaseModel):
    """The loudest level (0 to 1) of each side in each `bucket_ms`."""

    duration_ms: int
    bucket_ms: int
    caller: list[float]
    agent: list[float]


class TranscriptFormat(StrEnum):
    JSON = "json"
    TEXT = "text"
    VTT = "vtt"


class SoundFormat(StrEnum):
    OGG = "ogg"
    WAV = "wav"


def call_routes(store: CallStore, recordings: Recordings | None, notes: Notes) -> APIRouter:
    """Reading and deleting. `recordings` is None where nothing is recorded. Operators see calls of the agents
    that they serve, and hear those that they had a seat on."""
    routes = APIRouter(prefix="/api/calls", tags=["calls"], responses=responses(400, 401, 403, 422, 429, 503))
    _add_rows(routes, store)
    _add_transcript(routes, store)
    _add_sound(routes, store, recordings, notes)
    return routes


async def _call(store: CallStore, call_id: str, request: Request, action: Action) -> CallRecord:
    """Raises NotFoundError; RefusedError when this is not a call on which whoever asks may do that."""
    found = await store.call(call_id) if is_call_id(call_id) else None
    if found is None and is_call_id(call_id):  # one that has just begun is a row soon
        with suppress(TimeoutError):
            async with asyncio.timeout(_SOON_S):
                await store.flush()
        found = await store.call(call_id)
    if found is None:
        raise NotFoundError(_NO_CALL)
    await check_call(person_of(request), action, found, store)
    return found


async def _earlier(store: CallStore, call: CallRecord, agents: Sequence[str] | None) -> Earlier:
    number = other_party(call)
    found = await store.earlier(number, but=call.id)
    if not found.count:
        return Earlier()
    seen = found if agents is None else await store.earlier(number, but=call.id, agents=agents)
    return Earlier(count=found.count, last_at=found.latest[0].started_at, calls=list(seen.latest))


def _add_rows(routes: APIRouter, store: CallStore) -> None:
    @routes.get("", response_model=CallPage)
    async def calls(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        before: Annotated[str | None, Query(max_length=64)] = None,
        channel: ChannelKind | None = None,
        caller: Annotated[str | None, Query(max_length=256, description="Calls of this number only.")] = None,
    ) -> CallPage:
        """Newest first. `before` is the `next` of the page before."""
        agents = agents_of(person_of(request))
        found = list(await store.calls(limit + 1, before, channel, agents, caller))
        more = len(found) > limit
        page = found[:limit]
        return CallPage(calls=page, next=page[-1].id if more else None)

    @routes.get("/{call_id}", response_model=CallDetail, responses=responses(404))
    async def call(call_id: CallId, request: Request) -> CallDetail:
        record = await _call(store, call_id, request, Action.SEE_CALL)
        turns, events = await store.turns(call_id), await store.events(call_id)
        return CallDetail(
            call=record,
            turns=list(turns),
            events=list(events),
            entities=collect(events),
            earlier=await _earlier(store, record, agents_of(person_of(request))),
        )


def _add_transcript(routes: APIRouter, store: CallStore) -> None:
    described: dict[int | str, dict[str, Any]] = {
        200: {"model": Transcript, "content": {"text/plain": {}, "text/vtt": {}}},
        **responses(404),
    }

    @routes.get("/{call_id}/transcript", response_class=Response, responses=described)
    async def transcript(
        call_id: CallId, request: Request, format: TranscriptFormat = TranscriptFormat.JSON
    ) -> Response:
        """As JSON, as text (a line per turn) or as WebVTT."""
        await _call(store, call_id, request, Action.SEE_CALL)
        turns = await store.turns(call_id)
        match format:
            case TranscriptFormat.TEXT:
                return PlainTextResponse(transcript_text(turns))
            case TranscriptFormat.VTT:
                return Response(transcript_vtt(turns), media_type="text/vtt; charset=utf-8")
        return JSONResponse(transcript_json(call_id, turns))


def _add_sound(routes: APIRouter, store: CallStore, recordings: Recordings | None, notes: Notes) -> None:
    def kept(call_id: str) -> Recordings:
        if recordings is None or not is_call_id(call_id):
            raise NotFoundError(_NO_RECORDING)
        return recordings

    sound = {"content": {"audio/ogg": {}, "audio/wav": {}}, "description": "The sound, or a part of it."}

    @routes.head("/{call_id}/recording", include_in_schema=False)
    @routes.get(
        "/{call_id}/recording",
        response_class=Response,
        responses={200: sound, 206: sound, **responses(404, 416, 500)},
    )
    async def recording(
        request: Request, call_id: CallId, format: SoundFormat = SoundFormat.OGG, leg: Leg = None
    ) -> Response:
        """Stereo, the caller left and who answers right, or a `leg` alone, mono (there where humans were
        heard on the call): Ogg/Opus as kept, or WAV (PCM16). Takes `Range`."""
        tapes = kept(call_id)
        await _call(store, call_id, request, Action.HEAR_RECORDING)
        wanted = None if "if-range" in request.headers else request.headers.get("range")
        send = _wav if format is SoundFormat.WAV else _ogg
        try:
            answer = await asyncio.to_thread(send, tapes, call_id, leg, wanted)
        except DamagedError as error:
            return _damaged(error)
        notes.note_once(person_of(request), "hear_recording", call_id)
        return answer

    @routes.get("/{call_id}/peaks", response_model=Peaks, responses=responses(404, 500))
    async def peaks(request: Request, call_id: CallId) -> Peaks | Response:
        """The waveform's outline, so that a player need not decode the recording to draw it."""
        tapes = kept(call_id)
        await _call(store, call_id, request, Action.SEE_CALL)
        try:
            found = await asyncio.to_thread(tapes.peaks, call_id)
        except DamagedError as error:
            return _damaged(error)
        sides = dict(zip(found["channels"], found["peaks"], strict=True))
        return Peaks(
            duration_ms=found["duration_ms"],
            bucket_ms=found["bucket_ms"],
            caller=sides["caller"],
            agent=sides["agent"],
        )

    @routes.delete("/{call_id}/recording", status_code=204, response_class=Response, responses=responses(404))
    async def delete(request: Request, call_id: CallId) -> Response:
        """Delete a call's recording for good, also of a call that is still live. Idempotent."""
        tapes = kept(call_id)
        await _call(store, call_id, request, Action.DELETE_RECORDING)
        await tapes.delete(call_id)
        notes.note(person_of(request), "delete_recording", call_id)
        return Response(status_code=204)


def _damaged(error: DamagedError) -> Response:
    return fault(500, error.reason, "recording_damaged")


def _ogg(recordings: Recordings, call_id: str, leg: str | None, wanted: str | None) -> Response:
    file = recordings.open_ogg(call_id, leg)
    size = os.fstat(file.fileno()).st_size
    try:
        part = parse_range(wanted, size)
    except Unsatisfiable:
        file.close()
        return unsatisfiable(size)
    chunks = file_chunks(file, *(part or (0, size)))
    headers = sound_headers(size, part, f"{_name(call_id, leg)}.ogg")
    return SoundResponse(chunks, 206 if part else 200, headers, "audio/ogg")


def _name(call_id: str, leg: str | None) -> str:
    return call_id if leg is None else f"{call_id}.{leg}"


def _wav(recordings: Recordings, call_id: str, leg: str | None, wanted: str | None) -> Response:
    wav = recordings.wav(call_id, leg)
    try:
        part = parse_range(wanted, wav.size)
    except Unsatisfiable:
        wav.close()
        return unsatisfiable(wav.size)
    chunks = wav.chunks(*(part or (0, None)))
    headers = sound_headers(wav.size, part, f"{_name(call_id, leg)}.wav")
    return SoundResponse(chunks, 206 if part else 200, headers, "audio/wav")
