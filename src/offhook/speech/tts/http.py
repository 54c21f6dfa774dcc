"""Speech by one HTTP request a clause, for every vendor of voices. Knows no vendor's names or fields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import ProviderError
from offhook.speech.http import Endpoint, timed
from offhook.speech.tts.sound import Sound, Source, check_type, most_bytes

_SLICE = 4_096
"""Bytes decoded at once; the event loop gets its turn between slices."""
_LEAST_MS = 20
_STOPS = (". ", "! ", "? ", "; ", ", ", " ")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds: to a connection, to the first sound (with all tries), between pieces, and for new tries of
    what a vendor refuses for now (0: whoever asks tries again, or asks another)."""

    connect: float = 1.0
    first_byte: float = 2.5
    progress: float = 3.0
    retry: float = 2.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for speech. `subject` names the voice and the model, for a refusal."""

    path: str
    body: Any
    source: Source
    subject: str
    params: Mapping[str, str] = field(default_factory=dict)


class Voices(tuple[str, ...]):
    """Voices known by name. The vendor has more: every name is one of them until the vendor refuses it."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)


class Speaker:
    """Streams clauses from one endpoint."""

    def __init__(self, endpoint: Endpoint, deadlines: Deadlines, most_chars: int) -> None:
        self.endpoint = endpoint
        self.deadlines = deadlines
        self.most_chars = most_chars

    async def speak(self, text: str, format: AudioFormat, ask: Callable[[str], Ask]) -> AsyncGenerator[bytes]:
        """Sound as it comes, in pieces of whole samples; longer text in several requests, one after another.

        `ask` makes the request for a text. Raises ProviderError; what was yielded before is good sound.
        """
        for part in parts(text, self.most_chars):
            async with aclosing(self._part(part, format, ask(part))) as pieces:
                async for piece in pieces:
                    yield piece

    async def _part(self, text: str, format: AudioFormat, ask: Ask) -> AsyncGenerator[bytes]:
        sound = Sound(self.endpoint.provider, ask.source, format, most_bytes(text, format))
        deadline = asyncio.get_running_loop().time() + self.deadlines.first_byte
        chunks = self._chunks(ask, deadline)
        async with aclosing(heard(chunks, sound, format, deadline, self.deadlines.progress)) as pieces:
            async for piece in pieces:
                yield piece

    async def _chunks(self, ask: Ask, deadline: float) -> AsyncGenerator[bytes]:
        provider = self.endpoint.provider
        response = await self.endpoint.post(
            ask.path, ask.body, deadline=deadline, params=ask.params, subject=ask.subject
        )
        try:
            check_type(provider, response.headers.get("content-type", ""), ask.source)
            async for chunk in response.aiter_bytes():
                yield chunk
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise ProviderError(provider, "broke off in the middle of its sound") from error
        finally:
            await response.aclose()


async def heard(
    chunks: AsyncGenerator[bytes], sound: Sound, format: AudioFormat, deadline: float, progress: float
) -> AsyncGenerator[bytes]:
    """A vendor's chunks as sound in `format`: pieces of 20 ms or more, the last one of what is left.

    The first chunk by `deadline` (loop time), the others within `progress` seconds. Raises ProviderError.
    """
    waiting, least = bytearray(), format.size(_LEAST_MS)
    async with aclosing(timed(chunks, sound.provider, deadline, progress)) as timely:
        async for chunk in timely:
            for at in range(0, len(chunk), _SLICE):
                if at:
                    await asyncio.sleep(0)
                waiting += sound.feed(chunk[at : at + _SLICE])
                if len(waiting) >= least:
                    yield bytes(waiting)
                    waiting.clear()
    if rest := bytes(waiting) + sound.finish():
        yield rest
    sound.check()


def parts(text: str, most: int) -> list[str]:
    """The text in pieces of at most `most` characters, cut where a sentence or a word ends; none of pieces
    without a letter or a digit, which a voice cannot say."""
    pieces: list[str] = []
    rest = text.strip()
    while len(rest) > most:
        cut = next((at for stop in _STOPS if (at := rest.rfind(stop, most // 2, most)) > 0), most - 1) + 1
        pieces.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [piece for piece in (*pieces, rest) if any(char.isalnum() for char in piece)]
