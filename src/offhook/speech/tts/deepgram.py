"""Voices of Deepgram by streaming HTTP, in the leg's own format where it has that. No SDK."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence

import httpx

from offhook.audio.decode import ClipKind
from offhook.audio.frame import AudioFormat, Encoding
from offhook.foundation.errors import UnfitError
from offhook.protocols.languages import iso_639_1
from offhook.speech.http import Endpoint, need_key
from offhook.speech.tts.http import Ask, Deadlines, Speaker, Voices
from offhook.speech.tts.sound import Source, source_of

_ENCODINGS = {ClipKind.PCM16: "linear16", ClipKind.ULAW: "mulaw", ClipKind.ALAW: "alaw"}
_PCM_RATES = (8_000, 16_000, 24_000, 32_000, 48_000)
_G711_RATES = (8_000, 16_000)
_LANGUAGE = re.compile(r"-([a-z]{2})(?:-[a-z]{2})?\Z")
_MOST_CHARS = 2_000


class DeepgramTts:
    """The provider. A voice is a model's name ("aura-2-thalia-en"), and speaks the language it ends with."""

    name = "deepgram"

    def __init__(
        self,
        key: str,
        *,
        url: str = "https://api.deepgram.com",
        model: str = "aura-2-thalia-en",
        deadlines: Deadlines | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """Raises ProviderError."""
        deadlines = deadlines or Deadlines()
        self.model = model
        endpoint = Endpoint(
            self.name,
            url,
            {"Authorization": f"Token {need_key(self.name, key)}"},
            connect_seconds=deadlines.connect,
            retry_seconds=deadlines.retry,
            client=client,
        )
        self._speaker = Speaker(endpoint, deadlines, _MOST_CHARS)

    def voices(self) -> Sequence[str]:
        return Voices((self.model,))

    def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncGenerator[bytes]:
        """Raises UnfitError for a language that is not the voice's."""

        def ask(part: str) -> Ask:
            return self._ask(part, voice or self.model, language, format)

        return self._speaker.speak(text, format, ask)

    async def probe(self) -> None:
        """Raises ProviderError when the vendor is not well. Costs nothing."""
        await self._speaker.endpoint.probe("/v1/projects")

    async def close(self) -> None:
        await self._speaker.endpoint.close()

    def _ask(self, text: str, model: str, language: str, format: AudioFormat) -> Ask:
        spoken = _LANGUAGE.search(model)
        if spoken and language and spoken[1] != iso_639_1(language):
            raise UnfitError(self.name, f"voice {model!r} does not speak {language!r}")
        source = _source(format)
        params = {
            "model": model,
            "encoding": _ENCODINGS[source.kind],
            "sample_rate": str(source.rate),
            "container": "none",
        }
        return Ask("/v1/speak", {"text": text}, source, f"voice {model!r}", params)


def _source(format: AudioFormat) -> Source:
    rates = _PCM_RATES if format.encoding is Encoding.PCM16 else _G711_RATES
    return source_of(format) if format.rate in rates else Source(ClipKind.PCM16, 24_000)
