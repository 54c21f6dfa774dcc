"""`/api/clips`: prepared clips to play to callers; `/api/desk/settings`: how a person hears the coach."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offhook.audio.convert import to_samples
from offhook.audio.frame import Encoding
from offhook.audio.tempo import FASTEST, SLOWEST
from offhook.audio.wav import write_wav
from offhook.desk.clips import MAX_FILE, ClipNote, check_name
from offhook.desk.playground import MAX_CHARS, Trial, speak
from offhook.desk.studio import Studio
from offhook.foundation.clock import Clock
from offhook.foundation.errors import WireError
from offhook.web.faults import responses
from offhook.web.forms import is_form, read_form
from offhook.web.people import person_of
from offhook.web.slots import Slots
from offhook.web.voice_routes import Deeds

CLIPS_PATH = "/api/clips"
AT_ONCE = 2
_NAME = r"^[a-z0-9][a-z0-9_-]{0,47}$"
Name = Annotated[str, Path(description="The clip's name.", pattern=_NAME)]


class ClipView(BaseModel):
    """`text`: what is said in it, or its maker's note."""

    name: str
    seconds: float
    sample_rate: int
    text: str
    by: str
    made_at: str


class ClipList(BaseModel):
    clips: list[ClipView]


class SpokenClipWish(BaseModel):
    """A clip that a voice says, instead of a file."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern=_NAME)
    text: str = Field(min_length=1, max_length=MAX_CHARS)
    voice: str = Field(default="", max_length=128)
    provider: str = Field(default="", max_length=32)
    language: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    speed: float = Field(default=1.0, ge=SLOWEST, le=FASTEST)


class EarView(BaseModel):
    """How a person hears the coach. `duck_db` is how much quieter the others are meanwhile."""

    provider: str
    voice: str
    speed: float
    volume: float
    duck_db: float
    auto_play: bool
    mute: bool


class DeskSettings(BaseModel):
    coach: EarView


class DeskWish(BaseModel):
    """Any subset of the coach's names; what is not named stays."""

    model_config = ConfigDict(extra="forbid")
    coach: dict[str, Any] = Field(default_factory=dict, max_length=16)


def clip_routes(studio: Studio, clock: Clock, deeds: Deeds | None = None) -> APIRouter:
    """The routes. `deeds` is told what was kept and deleted."""
    routes = APIRouter(prefix="/api", tags=["clips"], responses=responses(400, 401, 403, 422, 429, 503))
    _reading(routes, studio)
    _keeping(routes, studio, clock, deeds)
    _settings(routes, studio)
    return routes


def _reading(routes: APIRouter, studio: Studio) -> None:
    @routes.get("/clips", response_model=ClipList)
    async def clips() -> ClipList:
        """All clips, by name."""
        return ClipList(clips=[_view(note) for note in await asyncio.to_thread(studio.clips.notes)])

    @routes.get(
        "/clips/{name}",
        response_class=Response,
        responses={200: {"content": {"audio/wav": {}}, "description": "The clip"}, **responses(404)},
    )
    async def clip(name: Name) -> Response:
        """A clip's sound."""
        found = await asyncio.to_thread(studio.clips.get, name)
        samples = to_samples(found.audio, Encoding.PCM16)
        return Response(write_wav(samples, found.format.rate), media_type="audio/wav")


def _keeping(routes: APIRouter, studio: Studio, clock: Clock, deeds: Deeds | None) -> None:
    slots = Slots(AT_ONCE)

    @routes.post(
        "/clips",
        status_code=201,
        response_model=ClipView,
        responses=responses(404, 413, 502),
        openapi_extra={"requestBody": {"required": True, "content": _BODIES}},
    )
    async def keep(request: Request) -> ClipView:
        """Keep a file (WAV, MP3 or Ogg/Opus, a minute at most), or what a voice says. One of the same name is
        replaced."""
        person = person_of(request)
        slot = slots.take()
        try:
            if is_form(request):
                note = await _uploaded(studio, request, person.id)
            else:
                note = await _spoken(studio, clock, await request.body(), person.id)
        finally:
            slot.free()
        if deeds is not None:
            deeds.note(person, "keep_clip", clip=note.name, seconds=note.seconds)
        return _view(note)

    @routes.delete("/clips/{name}", status_code=204, response_class=Response, responses=responses(404))
    async def delete(request: Request, name: Name) -> Response:
        """Delete a clip; a call that plays it plays it to its end."""
        await asyncio.to_thread(studio.clips.delete, name)
        if deeds is not None:
            deeds.note(person_of(request), "delete_clip", clip=name)
        return Response(status_code=204)


async def _uploaded(studio: Studio, request: Request, by: str) -> ClipNote:
    form = await read_form(request, 1, MAX_FILE)
    name, files = form.texts.get("name", ""), form.files.get("file", [])
    check_name(name)
    if not files:
        raise WireError("the form has no file")
    text = " ".join(form.texts.get("text", "").split())
    return await asyncio.to_thread(studio.clips.add, name, files[0][1], by, text)


async def _spoken(studio: Studio, clock: Clock, body: bytes, by: str) -> ClipNote:
    try:
        wish = SpokenClipWish.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise WireError(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None
    trial = Trial(wish.text, wish.voice, wish.provider, wish.language, wish.speed)
    said = await speak(studio.book, trial, clock.now)
    return await asyncio.to_thread(studio.clips.keep, wish.name, said.samples, said.rate, by, wish.text)


_BODIES = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["name", "file"],
            "properties": {
                "name": {"type": "string", "pattern": _NAME},
                "file": {"type": "string", "format": "binary"},
                "text": {"type": "string", "description": "What is said in it."},
            },
        }
    },
    "application/json": {"schema": SpokenClipWish.model_json_schema()},
}


def _view(note: ClipNote) -> ClipView:
    return ClipView(
        name=note.name,
        seconds=note.seconds,
        sample_rate=note.rate,
        text=note.text,
        by=note.by,
        made_at=note.made_at,
    )


def _settings(routes: APIRouter, studio: Studio) -> None:
    @routes.get("/desk/settings", response_model=DeskSettings, tags=["desk"])
    async def settings(request: Request) -> DeskSettings:
        """How the person who asks hears the coach."""
        return DeskSettings(coach=EarView(**studio.memory.of(person_of(request)).as_dict()))

    @routes.put("/desk/settings", response_model=DeskSettings, tags=["desk"], responses=responses(404))
    async def change(request: Request, wish: DeskWish) -> DeskSettings:
        """Change it, on live calls too. It is kept with the user."""
        said = wish.coach
        if provider := said.get("provider"):
            await studio.book.tts(provider if isinstance(provider, str) else "?")
        wishes = studio.memory.change(person_of(request), said)
        return DeskSettings(coach=EarView(**wishes.as_dict()))
