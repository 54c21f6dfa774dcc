"""Speech for the OpenAI-compatible API: a text becomes a stream of sound, clause by clause. No routes."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from offhook.engines.chunking import Clauses
from offhook.foundation.errors import ProviderError, WireError
from offhook.protocols.realtime_door_session import FOREIGN_VOICES
from offhook.speech.base import Tts
from offhook.web.openai_audio import SPEECH, TYPES, SpeechEncoder
from offhook.web.slots import HeldStream, Slots

AT_ONCE = 4
SOUND_S = 15.0
_GROUP_CHARS = 400


@dataclass(frozen=True, slots=True)
class Script:
    """What to speak: `voice` is one of the provider's, or empty for its own; so is `language`."""

    text: str
    voice: str = ""
    language: str = ""


class Speaker:
    """Speaks for at most AT_ONCE requests at a time, so that live calls keep their voice."""

    def __init__(self) -> None:
        self.slots = Slots(AT_ONCE)

    async def answer(self, tts: Tts, script: Script, kind: str, events: bool) -> HeldStream:
        """The file, as it is spoken, or server-sent events of it. What goes wrong before its first byte is
        raised: LimitError, ProviderError."""
        slot = self.slots.take()
        pieces = spoken(tts, script, kind)
        try:
            first = await anext(pieces)
        except BaseException:
            slot.free()
            raise
        sound = _after(first, pieces)
        if events:
            return HeldStream(_as_events(sound), "text/event-stream", slot)
        return HeldStream(sound, TYPES[kind], slot)


def chosen(tts: Tts, voice: str, own: str) -> str:
    """The voice to ask for: the one wanted, else the agent's `own` where the provider has it. Raises
    WireError."""
    known, listed = tts.voices(), tuple(tts.voices())  # a vendor knows more than it can list
    if voice in listed:
        return voice
    if not voice or voice.lower() in FOREIGN_VOICES:
        return own if own in known else ""
    if voice not in known:
        raise WireError(f"there is no such voice; there are {', '.join(listed)}")
    return voice


async def spoken(tts: Tts, script: Script, kind: str) -> AsyncGenerator[bytes, None]:
    """A text as a file of this kind, in pieces. Raises ProviderError."""
    encoder = SpeechEncoder(kind)
    for group in groups(script.text):
        sound = aiter(tts.speak(group, script.voice, script.language, SPEECH))
        while True:
            try:
                async with asyncio.timeout(SOUND_S):
                    piece = await anext(sound, None)
            except TimeoutError:
                raise ProviderError(tts.name, "did not speak in time") from None
            if piece is None:
                break
            if data := await asyncio.to_thread(encoder.feed, piece):
                yield data
    yield await asyncio.to_thread(encoder.finish)


def groups(text: str) -> list[str]:
    """A text in parts that a voice can speak at once, the first of them short."""
    clauses = Clauses()
    found = clauses.feed(text)
    if rest := clauses.finish():
        found.append(rest)
    grouped: list[str] = []
    for number, clause in enumerate(found):
        if number > 1 and len(grouped[-1]) + len(clause) < _GROUP_CHARS:
            grouped[-1] = f"{grouped[-1]} {clause}"
        else:
            grouped.append(clause)
    return grouped


async def _after(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()


async def _as_events(sound: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same as server-sent events."""
    async with aclosing(sound):
        async for piece in sound:
            if piece:
                yield _event({"type": "speech.audio.delta", "audio": b64encode(piece).decode()})
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    yield _event({"type": "speech.audio.done", "usage": usage})


def _event(message: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(message, ensure_ascii=False).encode() + b"\n\n"
