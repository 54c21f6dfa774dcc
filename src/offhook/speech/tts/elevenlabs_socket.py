"""Voices of ElevenLabs by WebSocket: a warm connection per voice, a context on it per clause. No SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import NamedTuple
from urllib.parse import quote, urlencode

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import BusyError, ProviderError
from offhook.speech.http import Endpoint, need_key
from offhook.speech.library import Clone, Voice
from offhook.speech.tts import elevenlabs_library
from offhook.speech.tts.elevenlabs import MODEL, URL, format_for, language_code, need_voice, source_named
from offhook.speech.tts.elevenlabs_wire import Wire, dial
from offhook.speech.tts.http import Deadlines, Voices, heard, parts
from offhook.speech.tts.sound import Sound, most_bytes

_MOST_CHARS = 2_000
_MOST_WIRES = 64
_IDLE_SECONDS = 180
"""The most that the vendor keeps a silent connection open for."""


class Line(NamedTuple):
    """What a connection is for: these cannot change on it."""

    voice: str
    output_format: str
    language: str


class ElevenLabsSocketTts:
    """The provider, like `ElevenLabsTts`, without a request's handshakes before each clause.

    Connections are kept for three minutes; up to five clauses share one. One that was closed meanwhile is
    opened again, once, as long as nothing of the clause was heard.
    """

    name = "elevenlabs"

    def __init__(
        self,
        key: str,
        *,
        url: str = URL,
        model: str = MODEL,
        voice: str = "",
        output_format: str = "",
        deadlines: Deadlines | None = None,
    ) -> None:
        """Raises ProviderError."""
        if output_format:
            source_named(output_format)
        self.model = model
        self.voice = voice
        self.output_format = output_format
        self.deadlines = deadlines or Deadlines()
        headers = {"xi-api-key": need_key(self.name, key)}
        self._headers = headers
        self._endpoint = Endpoint(self.name, url, headers, connect_seconds=self.deadlines.connect)
        self._wires: dict[Line, list[Wire]] = {}
        self._closed = False

    def voices(self) -> Sequence[str]:
        return Voices(filter(None, (self.voice,)))

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncGenerator[bytes]:
        """Sound as it comes. Raises ProviderError; what was yielded before is good sound."""
        code = language_code(self.model, language)
        line = Line(need_voice(voice or self.voice), self.output_format or format_for(format), code)
        for part in parts(text, _MOST_CHARS):
            sound = Sound(self.name, source_named(line.output_format), format, most_bytes(part, format))
            deadline = asyncio.get_running_loop().time() + self.deadlines.first_byte
            chunks = self._chunks(line, part)
            async with aclosing(heard(chunks, sound, format, deadline, self.deadlines.progress)) as pieces:
                async for piece in pieces:
                    yield piece

    async def library(self) -> Sequence[Voice]:
        """The account's voices. Raises ProviderError."""
        return await elevenlabs_library.library(self._endpoint)

    async def clone(self, name: str, samples: Sequence[tuple[str, bytes]], description: str) -> Clone:
        """A new voice from recordings. Raises ProviderError."""
        return await elevenlabs_library.clone(self._endpoint, name, samples, description)

    async def probe(self) -> None:
        """Raises ProviderError when the vendor is not well. Costs nothing."""
        await self._endpoint.probe("/v1/models")

    async def close(self) -> None:
        self._closed = True
        wires = [wire for wires in self._wires.values() for wire in wires]
        self._wires.clear()
        await asyncio.gather(*(wire.close() for wire in wires), self._endpoint.close())

    async def _chunks(self, line: Line, text: str) -> AsyncGenerator[bytes]:
        """The vendor's bytes for one clause, in a context of its own."""
        wire = self._free_wire(line)
        used = wire is not None
        while True:
            wire = wire or await self._new_wire(line)
            context, spoken = wire.context(), False
            try:
                context.say(text)
                async with aclosing(context.chunks()) as chunks:
                    async for chunk in chunks:
                        spoken = True
                        yield chunk
                return
            except ProviderError:
                if spoken or not used or wire.open:
                    raise
                wire, used = None, False
            finally:
                context.leave()

    def _free_wire(self, line: Line) -> Wire | None:
        """An open connection of the line with room for a clause."""
        return next((wire for wire in self._wires.get(line, ()) if wire.room), None)

    async def _new_wire(self, line: Line) -> Wire:
        self._check_open()
        self._wires = {
            place: kept
            for place, wires in self._wires.items()
            if (kept := [wire for wire in wires if wire.open])
        }
        if sum(map(len, self._wires.values())) >= _MOST_WIRES:
            raise BusyError(self.name, "has too many connections open")
        query = {
            "model_id": self.model,
            "output_format": line.output_format,
            "inactivity_timeout": str(_IDLE_SECONDS),
            "auto_mode": "true",
        }
        if line.language:
            query["language_code"] = line.language
        path = f"/v1/text-to-speech/{quote(line.voice, safe='')}/multi-stream-input?{urlencode(query)}"
        address = self._endpoint.url.replace("http", "ws", 1) + path
        subject = f"voice {line.voice!r} of model {self.model!r}"
        wire = await dial(self.name, address, self._headers, self.deadlines.connect, subject)
        try:
            self._check_open()
        except ProviderError:
            await wire.close()
            raise
        self._wires.setdefault(line, []).append(wire)
        return wire

    def _check_open(self) -> None:
        if self._closed:
            raise ProviderError(self.name, "is closed", retryable=False)
