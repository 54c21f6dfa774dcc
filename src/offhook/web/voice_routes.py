"""`/api/voices`, `/api/playground/speech`: which voices there are, how they sound, new ones by cloning."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from offhook.audio.tempo import FASTEST, SLOWEST
from offhook.desk.clips import kind_of
from offhook.desk.playground import MAX_CHARS, HeardBy, Measured, Trial, speak
from offhook.desk.studio import Studio
from offhook.foundation.clock import Clock
from offhook.foundation.errors import WireError
from offhook.foundation.people import Person
from offhook.web.faults import responses
from offhook.web.forms import read_form
from offhook.web.people import person_of
from offhook.web.slots import Slots
from offhook.web.throttle import Throttle

VOICES_PATH = "/api/voices"
AT_ONCE = 2
TRIES_PER_SECOND, TRIES = 0.5, 10.0
MOST_SAMPLES = 5
MAX_CLONE_BYTES = 24 << 20
_CONSENT = "a voice is cloned only with its owner's consent: send consent=true"


class VoiceView(BaseModel):
    """`id` is what every `voice` takes; an empty `language` is any that the provider speaks."""

    id: str
    name: str
    language: str
    provider: str
    local: bool
    cloned: bool


class VoiceProviderView(BaseModel):
    """`languages` is empty where the provider does not say; `reason`: why it is not well, or empty."""

    name: str
    local: bool
    languages: list[str]
    clones: bool
    reason: str


class VoiceList(BaseModel):
    voices: list[VoiceView]
    providers: list[VoiceProviderView]


class PlaygroundWish(BaseModel):
    """An empty `provider` is the house's voices, an empty `voice` the provider's own."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    text: str = Field(min_length=1, max_length=MAX_CHARS)
    voice: str = Field(default="", max_length=128)
    provider: str = Field(default="", max_length=32)
    language: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    speed: float = Field(default=1.0, ge=SLOWEST, le=FASTEST)
    heard_by: Literal["browser", "phone"] = Field(default="browser", alias="as")


class CloneView(BaseModel):
    """The new voice. With `requires_verification` its owner has to verify it at the vendor first."""

    provider: str
    id: str
    name: str
    requires_verification: bool


class Deeds(Protocol):
    """Where it is noted who did what."""

    def note(self, person: Person, action: str, call_id: str = "", **detail: Any) -> None: ...


def voice_routes(studio: Studio, clock: Clock, deeds: Deeds | None = None) -> APIRouter:
    """The routes. `deeds` is told of clones."""
    routes = APIRouter(prefix="/api", tags=["voices"], responses=responses(400, 401, 403, 413, 422, 429))
    _list(routes, studio)
    _playground(routes, studio, clock)
    _cloning(routes, studio, deeds)
    return routes


def _list(routes: APIRouter, studio: Studio) -> None:
    @routes.get("/voices", response_model=VoiceList)
    async def voices() -> VoiceList:
        """Every voice of every provider that the settings name. A vendor's list is at most 30 s old."""
        owners = await studio.book.owners()
        return VoiceList(
            voices=[
                VoiceView(
                    id=voice.id,
                    name=voice.name,
                    language=voice.language,
                    provider=owner.name,
                    local=owner.local,
                    cloned=voice.cloned,
                )
                for owner, known in owners
                for voice in known
            ],
            providers=[
                VoiceProviderView(
                    name=owner.name,
                    local=owner.local,
                    languages=list(owner.languages),
                    clones=owner.clones,
                    reason=owner.reason,
                )
                for owner, _ in owners
            ],
        )


def _playground(routes: APIRouter, studio: Studio, clock: Clock) -> None:
    slots = Slots(AT_ONCE)
    tries = Throttle(clock, TRIES_PER_SECOND, TRIES)

    @routes.post(
        "/playground/speech",
        response_class=Response,
        responses={
            200: {"content": {"audio/wav": {}, "application/json": {}}, "description": "What is heard"},
            **responses(404, 502, 503),
        },
    )
    async def playground(
        request: Request, wish: PlaygroundWish, accept: Annotated[str, Header()] = ""
    ) -> Response:
        """Have a voice say a text. A WAV with its measurements as headers or, where JSON is accepted, all in
        one object."""
        if not tries.allow(person_of(request).id):
            raise HTTPException(429, "too many tries; wait a moment")
        trial = Trial(wish.text, wish.voice, wish.provider, wish.language, wish.speed, HeardBy(wish.heard_by))
        slot = slots.take()
        try:
            measured = await speak(studio.book, trial, clock.now)
        finally:
            slot.free()
        return _answer(measured, "application/json" in accept.lower())


def _answer(measured: Measured, as_json: bool) -> Response:
    wav = measured.wav()
    found: dict[str, Any] = {
        "provider": measured.provider,
        "sample_rate": measured.rate,
        "first_audio_ms": round(measured.first_ms, 1),
        "total_ms": round(measured.total_ms, 1),
        "seconds": round(measured.seconds, 3),
        "real_time_factor": round(measured.real_time_factor, 4),
        "bytes": measured.wire_bytes,
    }
    if as_json:
        return JSONResponse({**found, "format": "wav", "audio": b64encode(wav).decode()})
    headers = {f"X-Offhook-{name.replace('_', '-').title()}": str(value) for name, value in found.items()}
    return Response(wav, media_type="audio/wav", headers=headers)


def _cloning(routes: APIRouter, studio: Studio, deeds: Deeds | None) -> None:
    slots = Slots(1)

    @routes.post(
        "/voices",
        status_code=201,
        response_model=CloneView,
        responses=responses(404, 502, 503),
        openapi_extra={
            "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _CLONE}}}
        },
    )
    async def clone(request: Request) -> CloneView:
        """Clone a voice from one to five recordings (WAV, MP3 or Ogg/Opus), where the provider can."""
        form = await read_form(request, MOST_SAMPLES, MAX_CLONE_BYTES)
        name = " ".join(form.texts.get("name", "").split())
        provider = form.texts.get("provider", "elevenlabs")
        if not form.is_on("consent"):
            raise WireError(_CONSENT)
        if not 1 <= len(name) <= 64 or not name.isprintable():
            raise WireError("name has 1 to 64 characters")
        samples = [
            (f"sample-{n}.{kind_of(data).value.partition('_')[0]}", data) for n, data in _samples(form.files)
        ]
        if not samples:
            raise WireError("the form has no files")
        slot = slots.take()
        try:
            made = await studio.book.clone(provider, name, samples, form.texts.get("description", "")[:500])
        finally:
            slot.free()
        if deeds is not None:
            deeds.note(person_of(request), "clone_voice", voice=made.id, name=name, consent=True)
        return CloneView(
            provider=provider, id=made.id, name=name, requires_verification=made.requires_verification
        )


_CLONE = {
    "type": "object",
    "required": ["name", "files", "consent"],
    "properties": {
        "provider": {"type": "string", "default": "elevenlabs"},
        "name": {"type": "string", "maxLength": 64},
        "description": {"type": "string", "maxLength": 500},
        "consent": {"type": "boolean", "description": "The owner of the voice has agreed to this."},
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MOST_SAMPLES},
    },
}


def _samples(files: Any) -> list[tuple[int, bytes]]:
    return list(enumerate((data for _, data in files.get("files", ())), 1))
