"""ElevenLabs' voices over HTTP and WebSocket contexts, checked against the `elevenlabs` package's types."""

from __future__ import annotations

import asyncio
import inspect
import json
import random
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from elevenlabs.text_to_speech.raw_client import RawTextToSpeechClient
from elevenlabs.types import (
    AddVoiceIvcResponseModel,
    CloseContext,
    FlushContext,
    GetVoicesV2Response,
    InitializeConnectionMulti,
    SendTextMulti,
)
from elevenlabs.voices.ivc.raw_client import RawIvcClient
from elevenlabs.voices.raw_client import RawVoicesClient
from pydantic import ValidationError
from tests.fakes.http_vendor import Asked, HttpVendor, Refused, Told, cut
from tests.fakes.sdk_types import NotInSdk, check_call
from tests.fakes.voice import encoded, seconds_for
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

KEY = "sk_eleven_test"
VOICE = "JBFqnCBsd6RMkjVDRZzb"
MODELS = {"eleven_flash_v2_5", "eleven_multilingual_v2"}
_TYPES = {
    "pcm": "audio/pcm",
    "ulaw": "audio/basic",
    "alaw": "audio/alaw",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
}


class FakeElevenLabs(HttpVendor):
    """Over HTTP. `sound` overrides the format that speech really has ("pcm_16000"). `account` are the voices
    of the account by id, each with its name and category; `clones` what each clone was made of."""

    def __init__(self, **options: Any) -> None:
        super().__init__(self._route, **options)
        self.sound = ""
        self.account = {VOICE: ("George", "premade")}
        self.clones: list[tuple[dict[str, str], list[tuple[str, bytes]]]] = []

    def _route(self, asked: Asked) -> Told:
        if asked.headers.get("xi-api-key") != KEY:
            raise Refused(401, refusal("invalid_api_key", "Invalid API key"))
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["v1", "models"]:
                return Told(b"[]")
            case "POST", ["v1", "text-to-speech", voice, "stream"]:
                return self._speak(voice, asked)
            case "GET", ["v2", "voices"]:
                return self._voices(asked)
            case "POST", ["v1", "voices", "add"]:
                return self._clone(asked)
        raise Refused(404, refusal("not_found", asked.path))

    def _voices(self, asked: Asked) -> Told:
        query = {**asked.query, "page_size": int(asked.query["page_size"]), "include_total_count": False}
        try:
            check_call(RawVoicesClient.search, query)
        except NotInSdk as error:
            raise Refused(422, refusal("invalid_query", str(error))) from error
        begin, ids = int(asked.query.get("next_page_token", "0")), list(self.account)
        end = begin + query["page_size"]
        page: dict[str, Any] = {
            "voices": [
                {"voice_id": id, "name": name, "category": category, "labels": {"language": "en"}}
                for id, (name, category) in list(self.account.items())[begin:end]
            ],
            "has_more": end < len(ids),
            "total_count": len(ids),
            "next_page_token": str(end) if end < len(ids) else None,
        }
        GetVoicesV2Response.model_validate(page)
        return Told(json.dumps(page).encode())

    def _clone(self, asked: Asked) -> Told:
        """A voice of the account, from a multipart form whose fields the SDK's method has."""
        texts, files = form_of(asked)
        try:
            noise = {"remove_background_noise": texts.get("remove_background_noise") == "true"}
            check_call(RawIvcClient.create, {**texts, **noise})
        except NotInSdk as error:
            raise Refused(422, refusal("invalid_form", str(error))) from error
        if not files or any(not data for _, data in files):
            raise Refused(400, refusal("invalid_samples", "no samples"))
        self.clones.append((texts, files))
        id = f"Clone{len(self.clones):015d}"
        self.account[id] = (texts["name"], "cloned")
        made = {"voice_id": id, "requires_verification": False}
        AddVoiceIvcResponseModel.model_validate(made)
        return Told(json.dumps(made).encode())

    def _speak(self, voice: str, asked: Asked) -> Told:
        try:
            check_call(RawTextToSpeechClient.stream, {"voice_id": voice, **asked.query, **asked.json})
        except NotInSdk as error:
            raise Refused(
                422, {"detail": [{"loc": ["body"], "msg": str(error), "type": "value_error"}]}
            ) from error
        known = VOICE if voice in self.account else voice
        check_voice(
            known, asked.json.get("model_id", "eleven_multilingual_v2"), asked.json.get("language_code")
        )
        name = asked.query.get("output_format", "mp3_44100_128")
        sound = encoded(self.sound or name, seconds_for(asked.json["text"]))
        return Told(sound, _TYPES[name.partition("_")[0]])


def form_of(asked: Asked) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    """The texts and the files (name, bytes) of a multipart form, whose files are all in the field `files`."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    texts, files = {}, []
    for part in BytesParser(policy=HTTP).parsebytes(head + asked.body).iter_parts():
        field, data = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if part.get_filename() is None:
            texts[field] = data.decode()
        elif field == "files":
            files.append((part.get_filename(), data))
        else:
            raise Refused(422, refusal("invalid_form", str(field)))
    return texts, files


def check_voice(voice: str, model: str, language: str | None) -> None:
    if voice != VOICE:
        raise Refused(404, refusal("voice_not_found", voice))
    if model not in MODELS:
        raise Refused(400, refusal("model_not_found", model))
    if language and "multilingual" in model:
        raise Refused(400, refusal("unsupported_language", language))


def refusal(status: str, message: str) -> dict[str, Any]:
    return {"detail": {"status": status, "message": message}}


@dataclass
class SocketFault:
    """For one clause: `stall` seconds before any sound, `drop` the connection after `after` bytes of it (with
    `close` as the reason, where set), send `raw` instead of sound."""

    stall: float = 0.0
    drop: bool = False
    after: int = 0
    close: str = ""
    raw: str | bytes = ""


@dataclass
class _Spoken:
    text: str = ""
    flushed: bool = False
    closing: bool = False
    task: asyncio.Task[None] | None = None


@dataclass
class FakeElevenLabsSocket:
    """`texts` are the clauses spoken; `open` the contexts per connection at most at once."""

    status: int = 0
    longest: int = 3_000
    texts: list[str] = field(default_factory=list)
    dialed: list[dict[str, str]] = field(default_factory=list)
    faults: list[SocketFault] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    at_once: int = 0
    url: str = ""
    connections: list[ServerConnection] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeElevenLabsSocket]:
        async with serve(
            self._serve, "127.0.0.1", 0, process_request=self._admit, compression=None, close_timeout=0.1
        ) as server:
            self.url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            yield self

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        target = urlsplit(request.path)
        query = dict(parse_qsl(target.query))
        self.dialed.append(query)
        try:
            if self.status:
                raise Refused(self.status, refusal("too_many_concurrent_requests", "busy"))
            if request.headers.get("xi-api-key") != KEY:
                raise Refused(401, refusal("invalid_api_key", "Invalid API key"))
            _, version, kind, voice, last = unquote(target.path).split("/")
            if (version, kind, last) != ("v1", "text-to-speech", "multi-stream-input"):
                raise Refused(404, refusal("not_found", target.path))
            self._check_query(query)
            check_voice(voice, query["model_id"], query.get("language_code"))
        except Refused as error:
            response = connection.respond(HTTPStatus(error.status), json.dumps(error.body))
            response.headers["Retry-After"] = "1"
            return response
        return None

    def _check_query(self, query: dict[str, str]) -> None:
        known = set(inspect.signature(RawTextToSpeechClient.stream).parameters)
        known |= {"inactivity_timeout", "auto_mode", "sync_alignment", "enable_ssml_parsing"}
        if not set(query) <= known or not 5 <= int(query.get("inactivity_timeout", "20")) <= 180:
            raise Refused(422, refusal("invalid_query", str(query)))
        check_call(RawTextToSpeechClient.stream, {"output_format": query["output_format"]})

    async def _serve(self, socket: ServerConnection) -> None:
        self.connections.append(socket)
        name = dict(parse_qsl(urlsplit(socket.request.path).query))["output_format"]
        contexts: dict[str, _Spoken] = {}
        try:
            async for message in socket:
                self._take(socket, contexts, json.loads(message), name)
                self.at_once = max(self.at_once, len(contexts))
        except ConnectionClosed:
            pass
        except (NotInSdk, ValidationError) as error:
            self.refused.append(str(error))
            await socket.close(1008, "invalid_message")
        finally:
            tasks = [context.task for context in contexts.values() if context.task]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, socket: ServerConnection, contexts: dict[str, _Spoken], message: Any, name: str) -> None:
        kind = _kind(message, contexts)
        if unknown := set(message) - set(kind.model_fields):
            raise NotInSdk(f"{kind.__name__} has no {unknown}")
        kind.model_validate(message)
        id = message["context_id"]
        if id not in contexts:
            if len(contexts) == 5:
                raise NotInSdk("more than five contexts")
            contexts[id] = _Spoken()
        context = contexts[id]
        context.text += message.get("text") or ""
        if message.get("flush"):
            context.flushed = True
            context.task = asyncio.create_task(self._speak(socket, contexts, id, name))
        if message.get("close_context"):
            context.closing = True
            if not context.flushed:
                del contexts[id]

    async def _speak(
        self, socket: ServerConnection, contexts: dict[str, _Spoken], id: str, name: str
    ) -> None:
        context = contexts[id]
        text = context.text.strip()
        self.texts.append(text)
        fault = self.faults.pop(0) if self.faults else SocketFault()
        await asyncio.sleep(fault.stall)
        sent = 0
        with suppress(ConnectionClosed):
            if fault.raw:
                await socket.send(fault.raw)
                return
            for chunk in cut(encoded(name, seconds_for(text)), random.Random(3), self.longest):
                if fault.drop and sent >= fault.after:
                    if fault.close:
                        await socket.close(1008, fault.close)
                    else:
                        socket.transport.abort()
                    return
                sent += len(chunk)
                audio = {"audio": b64encode(chunk).decode(), "isFinal": None, "contextId": id}
                await socket.send(json.dumps({**audio, "alignment": None, "normalizedAlignment": None}))
            while not context.closing:
                await asyncio.sleep(0.001)
            del contexts[id]
            await socket.send(json.dumps({"isFinal": True, "contextId": id}))


def _kind(message: Any, contexts: dict[str, _Spoken]) -> Any:
    if message.get("context_id") not in contexts:
        return InitializeConnectionMulti
    if "close_context" in message:
        return CloseContext
    return SendTextMulti if message.get("text") else FlushContext
