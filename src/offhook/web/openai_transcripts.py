"""Transcripts for the OpenAI-compatible API: a recording becomes words, part by part. No routes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from offhook.audio.g711 import Samples
from offhook.foundation.errors import ProviderError, WireError
from offhook.speech.base import Stt
from offhook.web.forms import read_form
from offhook.web.openai_audio import HEARD, decode_file, parts
from offhook.web.slots import HeldStream, Slots

MAX_FILE = 25 << 20
AT_ONCE = 2
PART_DEADLINE_S = 30.0
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
FORMATS = frozenset({"json", "text", "verbose_json", "srt", "vtt"})


@dataclass(frozen=True, slots=True)
class TranscriptWish:
    """What a form asks for. `language` is ISO 639-1, or empty."""

    file: bytes
    model: str = ""
    language: str = ""
    format: str = "json"
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Words, and where in the recording they are, in seconds."""

    text: str
    start: float
    end: float


async def read_wish(request: Request) -> TranscriptWish:
    """What a request's form asks for; the file stays in memory. Raises WireError."""
    form = await read_form(request, 1, MAX_FILE)
    files = form.files.get("file")
    if not files:
        raise WireError("the form has no file")
    return _wish(files[0][1], form.texts)


def _wish(file: bytes, given: Mapping[str, str]) -> TranscriptWish:
    format = given.get("response_format", "json")
    if format not in FORMATS:
        raise WireError(f"response_format is one of {', '.join(sorted(FORMATS))} here")
    language = given.get("language", "")
    if language and not _LANGUAGE.match(language):
        raise WireError("language is a code like en")
    return TranscriptWish(
        file,
        given.get("model", ""),
        language,
        format,
        given.get("stream", "").lower() in ("true", "1"),
    )


class Listener:
    """Listens for at most AT_ONCE requests at a time, so that live calls keep their recognizer."""

    def __init__(self) -> None:
        self.slots = Slots(AT_ONCE)

    async def answer(self, stt: Stt, wish: TranscriptWish) -> Response:
        """What the form asked for. Raises WireError, LimitError, ProviderError."""
        slot = self.slots.take()
        streaming = False
        try:
            samples = await asyncio.to_thread(decode_file, wish.file)
            seconds = len(samples) / HEARD.rate
            found = heard(stt, wish.language, samples)
            if wish.stream:
                first = await anext(found)
                streaming = True
                return HeldStream(_events(first, found, seconds), "text/event-stream", slot)
            async with aclosing(found):
                said = [part async for part in found]
        finally:
            if not streaming:
                slot.free()
        return written(said, wish.format, seconds, wish.language)


async def heard(stt: Stt, language: str, samples: Samples) -> AsyncGenerator[Part, None]:
    """The words of a recording, part by part. Raises ProviderError."""
    recognizer = stt.open(HEARD, language)
    try:
        for at, piece in parts(samples):
            recognizer.begin()
            recognizer.push(piece.tobytes())
            try:
                async with asyncio.timeout(PART_DEADLINE_S):
                    words = await recognizer.finish()
            except TimeoutError:
                raise ProviderError(stt.name, "found no words in time") from None
            yield Part(words.text.strip(), at / HEARD.rate, (at + len(piece)) / HEARD.rate)
    finally:
        await recognizer.close()


async def _events(
    first: Part, rest: AsyncGenerator[Part, None], seconds: float
) -> AsyncGenerator[bytes, None]:
    """The transcript as server-sent events, part by part."""
    text = ""

    async def all_parts() -> AsyncIterator[Part]:
        yield first
        async for part in rest:
            yield part

    try:
        async for part in all_parts():
            if part.text:
                delta = f" {part.text}" if text else part.text
                text += delta
                yield _event({"type": "transcript.text.delta", "delta": delta})
        yield _event({"type": "transcript.text.done", "text": text, "usage": _usage(seconds)})
    except ProviderError as error:
        yield _event({"type": "error", "error": {"code": "provider_failed", "message": error.reason}})
    finally:
        await rest.aclose()


def written(parts_heard: list[Part], format: str, seconds: float, language: str) -> Response:
    """The transcript in the format that was asked for."""
    said = [part for part in parts_heard if part.text]
    text = " ".join(part.text for part in said)
    match format:
        case "text":
            return PlainTextResponse(f"{text}\n")
        case "srt":
            blocks = (f"{n}\n{_span(p, ',')}\n{p.text}\n" for n, p in enumerate(said, 1))
            return PlainTextResponse("\n".join(blocks), media_type="application/x-subrip")
        case "vtt":
            blocks = (f"{_span(p, '.')}\n{p.text}\n" for p in said)
            return PlainTextResponse("\n".join(("WEBVTT\n", *blocks)), media_type="text/vtt")
        case "verbose_json":
            segments = [
                {"id": n, "start": p.start, "end": p.end, "text": p.text} | _UNKNOWN
                for n, p in enumerate(said)
            ]
            whole = {"task": "transcribe", "language": language or "english", "duration": seconds}
            return JSONResponse(
                {**whole, "text": text, "segments": segments, "words": None, "usage": _usage(seconds)}
            )
    return JSONResponse({"text": text, "usage": _usage(seconds)})


_UNKNOWN: dict[str, Any] = {
    "seek": 0,
    "tokens": [],
    "temperature": 0.0,
    "avg_logprob": 0.0,
    "compression_ratio": 0.0,
    "no_speech_prob": 0.0,
}
"""What the format demands of a segment and a recognizer here does not tell."""


def _usage(seconds: float) -> dict[str, Any]:
    return {"type": "duration", "seconds": round(seconds, 2)}


def _span(part: Part, point: str) -> str:
    return f"{_clock(part.start, point)} --> {_clock(part.end, point)}"


def _clock(seconds: float, point: str) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{ms:03}"


def _event(message: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(message, ensure_ascii=False).encode() + b"\n\n"
