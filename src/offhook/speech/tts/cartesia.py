"""Voices of Cartesia by streaming HTTP, in the leg's own format where it has that. No SDK."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx

from offhook.audio.decode import ClipKind
from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import UnfitError
from offhook.protocols.languages import iso_639_1
from offhook.speech.http import Endpoint, need_key
from offhook.speech.tts.http import Ask, Deadlines, Speaker, Voices
from offhook.speech.tts.sound import Source, source_of

_ENCODINGS = {ClipKind.PCM16: "pcm_s16le", ClipKind.ULAW: "pcm_mulaw", ClipKind.ALAW: "pcm_alaw"}
_RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
_MOST_CHARS = 4_000


class CartesiaTts:
    """The provider. A voice is the id of one of the vendor's; it speaks any language of its model."""

    name = "cartesia"

    def __init__(
        self,
        key: str,
        *,
        url: str = "https://api.cartesia.ai",
        version: str = "2026-08-14",
        model: str = "sonic-3",
        voice: str = "",
        deadlines: Deadlines | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """`version` is the date of the vendor's interface. Raises ProviderError."""
        deadlines = deadlines or Deadlines()
        self.model = model
        self.voice = voice
        endpoint = Endpoint(
            self.name,
            url,
            {"X-API-Key": need_key(self.name, key), "Cartesia-Version": version},
            connect_seconds=deadlines.connect,
            retry_seconds=deadlines.retry,
            client=client,
        )
        self._speaker = Speaker(endpoint, deadlines, _MOST_CHARS)

    def voices(self) -> Sequence[str]:
        return Voices(filter(None, (self.voice,)))

    def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncGenerator[bytes]:
        def ask(part: str) -> Ask:
            return self._ask(part, voice or self.voice, language, format)

        return self._speaker.speak(text, format, ask)

    async def probe(self) -> None:
        """Raises ProviderError when the vendor is not well. Costs nothing."""
        await self._speaker.endpoint.probe("/voices", {"limit": "1"})

    async def close(self) -> None:
        await self._speaker.endpoint.close()

    def _ask(self, text: str, voice: str, language: str, format: AudioFormat) -> Ask:
        if not voice:
            raise UnfitError(
                self.name, "needs a voice: set cartesia.voice or the agent's voice to a voice's id"
            )
        source = source_of(format) if format.rate in _RATES else Source(ClipKind.PCM16, 24_000)
        body: dict[str, Any] = {
            "model_id": self.model,
            "transcript": text,
            "voice": {"mode": "id", "id": voice},
            "output_format": {
                "container": "raw",
                "encoding": _ENCODINGS[source.kind],
                "sample_rate": source.rate,
            },
        }
        if code := iso_639_1(language):
            body["language"] = code
        return Ask("/tts/bytes", body, source, f"voice {voice!r} of model {self.model!r}")
