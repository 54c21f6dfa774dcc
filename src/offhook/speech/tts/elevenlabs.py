"""Voices of ElevenLabs by streaming HTTP, in the leg's own format where it has that. No SDK."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from urllib.parse import quote

import httpx

from offhook.audio.decode import ClipKind
from offhook.audio.frame import AudioFormat, Encoding
from offhook.foundation.errors import ProviderError, UnfitError
from offhook.protocols.languages import iso_639_1
from offhook.speech.http import Endpoint, need_key
from offhook.speech.library import Clone, Voice
from offhook.speech.tts import elevenlabs_library
from offhook.speech.tts.http import Ask, Deadlines, Speaker, Voices
from offhook.speech.tts.sound import Source

URL = "https://api.elevenlabs.io"
MODEL = "eleven_flash_v2_5"
_NAME = re.compile(r"(pcm|ulaw|alaw|mp3|opus)_(\d{4,5})(?:_\d{2,3})?\Z")
_KINDS = {
    "pcm": ClipKind.PCM16, "ulaw": ClipKind.ULAW, "alaw": ClipKind.ALAW,
    "mp3": ClipKind.MP3, "opus": ClipKind.OGG_OPUS,
}  # fmt: skip
_PCM_RATES = (8_000, 16_000, 22_050, 24_000, 32_000)
"""Higher ones need a dearer plan, and speech has nothing above 12 kHz."""
_MOST_CHARS = 5_000


class ElevenLabsTts:
    """The provider. `output_format` is a name of the vendor's, like "mp3_44100_128"; empty: the leg's own."""

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
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """`voice` is a voice's id. Raises ProviderError."""
        deadlines = deadlines or Deadlines()
        self.model = model
        self.voice = voice
        self.output_format = output_format
        if output_format:
            source_named(output_format)
        endpoint = Endpoint(
            self.name,
            url,
            {"xi-api-key": need_key(self.name, key)},
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

    async def library(self) -> Sequence[Voice]:
        """The account's voices. Raises ProviderError."""
        return await elevenlabs_library.library(self._speaker.endpoint)

    async def clone(self, name: str, samples: Sequence[tuple[str, bytes]], description: str) -> Clone:
        """A new voice from recordings. Raises ProviderError."""
        return await elevenlabs_library.clone(self._speaker.endpoint, name, samples, description)

    async def probe(self) -> None:
        """Raises ProviderError when the vendor is not well. Costs nothing."""
        await self._speaker.endpoint.probe("/v1/models")

    async def close(self) -> None:
        await self._speaker.endpoint.close()

    def _ask(self, text: str, voice: str, language: str, format: AudioFormat) -> Ask:
        voice = need_voice(voice)
        name = self.output_format or format_for(format)
        body = {"text": text, "model_id": self.model}
        if code := language_code(self.model, language):
            body["language_code"] = code
        return Ask(
            f"/v1/text-to-speech/{quote(voice, safe='')}/stream",
            body,
            source_named(name),
            f"voice {voice!r} of model {self.model!r}",
            {"output_format": name},
        )


def need_voice(voice: str) -> str:
    """The voice's id; a missing one is an UnfitError that says what to set."""
    if not voice:
        raise UnfitError(
            ElevenLabsTts.name, "needs a voice: set elevenlabs.voice or the agent's voice to a voice's id"
        )
    return voice


def format_for(format: AudioFormat) -> str:
    """The vendor's name for the leg's own format, or for what comes nearest above it."""
    if format.encoding is not Encoding.PCM16 and format.rate == 8_000:
        return f"{format.encoding.value}_8000"
    if format.rate in _PCM_RATES:
        return f"pcm_{format.rate}"
    return "pcm_24000"


def source_named(name: str) -> Source:
    """What arrives under an output format's name. Raises ProviderError for a name that cannot be one."""
    match = _NAME.match(name)
    if match is None:
        reason = f"has no output format {name[:40]!r}; names are like pcm_16000, ulaw_8000, mp3_44100_128"
        raise ProviderError(ElevenLabsTts.name, reason, retryable=False)
    kind = _KINDS[match[1]]
    raw = kind in (ClipKind.PCM16, ClipKind.ULAW, ClipKind.ALAW)
    return Source(kind, int(match[2]) if raw else 0)


def language_code(model: str, language: str) -> str:
    """ISO 639-1 for the models that take one, empty for the others (multilingual_v2 refuses it)."""
    return iso_639_1(language) if "_v2_5" in model or "_v3" in model else ""
