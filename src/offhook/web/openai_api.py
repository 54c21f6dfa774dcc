"""The OpenAI-compatible HTTP API (docs/openai-api.md): models, speech, transcriptions, client secrets.

Thin over speech: what is encoded, decoded and cut is openai_audio.py's, who may ask the gate's.
"""

from __future__ import annotations

import time
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from offhook.channels.realtime_offer import first_config
from offhook.foundation.errors import LimitError, NotFoundError, WireError
from offhook.protocols.realtime_door_session import merged
from offhook.web.client_secrets import ClientSecrets
from offhook.web.faults import responses
from offhook.web.openai_models import HOUSE, Catalogue
from offhook.web.openai_speech import Script, Speaker, chosen
from offhook.web.openai_transcripts import FORMATS, Listener, read_wish

MAX_INPUT = 4_096


class SpeechWish(BaseModel):
    """As OpenAI's `audio.speech`; `instructions` are passed over, unknown names too."""

    model_config = ConfigDict(extra="ignore")
    model: str = Field(default=HOUSE, max_length=128)
    input: str = Field(max_length=MAX_INPUT)
    voice: str | dict[str, Any] = ""
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    stream_format: Literal["audio", "sse"] = "audio"
    speed: float = 1.0


class ModelView(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = HOUSE


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelView]


class SecretTerms(BaseModel):
    anchor: Literal["created_at"] = "created_at"
    seconds: int = Field(default=600, ge=10, le=7_200)


class SecretWish(BaseModel):
    """A session as `session.update` has it, and how long the secret opens the door."""

    expires_after: SecretTerms = Field(default_factory=SecretTerms)
    session: dict[str, Any] = Field(default_factory=dict)


class SecretView(BaseModel):
    value: str
    expires_at: int
    session: dict[str, Any]


def openai_routes(catalogue: Catalogue, secrets: ClientSecrets) -> APIRouter:
    """All routes under `/v1`."""
    routes = APIRouter(prefix="/v1", tags=["openai"])
    _models(routes, catalogue)
    _secrets(routes, catalogue, secrets)
    speaker, listener = Speaker(), Listener()

    @routes.post(
        "/audio/speech",
        response_class=StreamingResponse,
        responses={
            200: {"content": {"audio/mpeg": {}}, "description": "Sound, as it is spoken"},
            **responses(400, 401, 404, 502, 503),
        },
    )
    async def speech(wish: SpeechWish) -> StreamingResponse:
        """Speak a text."""
        if wish.speed != 1.0:
            raise WireError("speed is 1.0 here")
        if not wish.input.strip():
            raise WireError("input has no words")
        tts = catalogue.voice(wish.model)
        voice = wish.voice if isinstance(wish.voice, str) else str(wish.voice.get("id", ""))
        language, own = catalogue.tongue(wish.input)
        script = Script(wish.input, chosen(tts, voice, own), language)
        return await speaker.answer(tts, script, wish.response_format, wish.stream_format == "sse")

    @routes.post(
        "/audio/transcriptions",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["file"],
                            "properties": {
                                "file": {"type": "string", "format": "binary"},
                                "model": {"type": "string"},
                                "language": {"type": "string"},
                                "response_format": {"type": "string", "enum": sorted(FORMATS)},
                                "stream": {"type": "boolean"},
                            },
                        }
                    }
                },
            }
        },
        responses=responses(400, 401, 404, 413, 502, 503),
        response_model=None,
    )
    async def transcriptions(request: Request) -> Response:
        """Write down what is said in a recording."""
        wish = await read_wish(request)
        return await listener.answer(catalogue.recognizer(wish.model), wish)

    return routes


def _models(routes: APIRouter, catalogue: Catalogue) -> None:
    began = int(time.time())

    @routes.get("/models", response_model=ModelList)
    async def models() -> ModelList:
        """Agents, engines, and what they speak and hear with."""
        return ModelList(data=[ModelView(id=name, created=began) for name in catalogue.names()])

    @routes.get("/models/{model}", response_model=ModelView, responses=responses(404))
    async def model(model: str) -> ModelView:
        if model not in catalogue.names():
            raise NotFoundError("there is no model of that name")
        return ModelView(id=model, created=began)


def _secrets(routes: APIRouter, catalogue: Catalogue, secrets: ClientSecrets) -> None:
    @routes.post("/realtime/client_secrets", response_model=SecretView, responses=responses(400, 401, 404))
    async def client_secrets(wish: SecretWish) -> JSONResponse:
        """A short-lived key for `/v1/realtime`, for a program or page that must not have the API key."""
        offer = catalogue.offer(str(wish.session.get("model") or ""), "")
        shown = merged(first_config(offer), wish.session).as_json()
        try:
            value, expires = secrets.mint(wish.session, wish.expires_after.seconds)
        except LimitError as error:
            raise WireError(error.reason) from None
        return JSONResponse({"value": value, "expires_at": expires, "session": {"id": "sess_new", **shown}})
