"""Voices of OpenAI, or of a server with its speech endpoint. Streams over HTTP; no SDK."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from urllib.parse import urlsplit

import httpx

from offhook.audio.decode import ClipKind
from offhook.audio.frame import AudioFormat
from offhook.speech.http import Endpoint, need_key
from offhook.speech.tts.http import Ask, Deadlines, Speaker, Voices
from offhook.speech.tts.sound import Source

_NAMES = (
    "marin", "cedar", "alloy", "ash", "ballad", "coral", "echo",
    "fable", "nova", "onyx", "sage", "shimmer", "verse",
)  # fmt: skip
_FORMATS = {ClipKind.PCM16: "pcm", ClipKind.WAV: "wav", ClipKind.MP3: "mp3", ClipKind.OGG_OPUS: "opus"}
_PCM_RATE = 24_000
_MOST_CHARS = 4_096


class OpenAiTts:
    """The provider. OpenAI is asked for raw PCM16, which it has at 24 kHz only.

    Other servers are asked for WAV: their raw sound has other rates, and only a header tells them.
    """

    name = "openai"

    def __init__(
        self,
        key: str = "",
        *,
        url: str = "https://api.openai.com/v1",
        model: str = "gpt-4o-mini-tts",
        voice: str = "marin",
        kind: ClipKind | None = None,
        deadlines: Deadlines | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """`url` ends before "/audio/speech". Raises ProviderError."""
        deadlines = deadlines or Deadlines()
        own = (urlsplit(url).hostname or "").endswith("openai.com")
        if own:
            need_key(self.name, key)
        self.model = model
        self.voice = voice
        self.kind = kind or (ClipKind.PCM16 if own else ClipKind.WAV)
        endpoint = Endpoint(
            self.name,
            url,
            {"Authorization": f"Bearer {key}"} if key else {},
            connect_seconds=deadlines.connect,
            retry_seconds=deadlines.retry,
            client=client,
        )
        self._speaker = Speaker(endpoint, deadlines, _MOST_CHARS)

    def voices(self) -> Sequence[str]:
        return Voices(dict.fromkeys((self.voice, *_NAMES)))

    def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncGenerator[bytes]:
        """The language is the text's own: the model hears it from the words."""
        return self._speaker.speak(text, format, lambda part: self._ask(part, voice or self.voice))

    async def probe(self) -> None:
        """Raises ProviderError when the vendor is not well. Costs nothing."""
        await self._speaker.endpoint.probe("/models")

    async def close(self) -> None:
        await self._speaker.endpoint.close()

    def _ask(self, text: str, voice: str) -> Ask:
        body = {
            "model": self.model,
            "input": text,
            "voice": {"id": voice} if voice.startswith("voice_") else voice,
            "response_format": _FORMATS[self.kind],
        }
        source = Source(self.kind, _PCM_RATE if self.kind is ClipKind.PCM16 else 0)
        return Ask("/audio/speech", body, source, f"voice {voice!r} of model {self.model!r}")
