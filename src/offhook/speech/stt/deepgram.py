"""Speech to text by Deepgram's streaming recognizer (Listen v1: the Nova models). Flux is `deepgram_flux`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from offhook.audio.frame import AudioFormat, Encoding
from offhook.foundation.errors import ProviderError
from offhook.protocols import deepgram as wire
from offhook.speech.stt.dialect import (
    Habits,
    Heard,
    Interim,
    Limits,
    Settled,
    Wire,
    require_key,
    wanted_languages,
    websocket_base,
)
from offhook.speech.stt.stream import StreamRecognizer

ENCODINGS = {Encoding.PCM16: "linear16", Encoding.ULAW: "mulaw", Encoding.ALAW: "alaw"}
_FINALIZED_MS = 250
"""An answer to Finalize may end a little before the audio does."""


class DeepgramDialect:
    """One v1 session. It knows by stream time which sound every result covers."""

    habits = Habits(chunk_ms=60, slack_ms=100, grace_ms=600, greets=False)

    def __init__(self, name: str, key: str, url: str, format: AudioFormat) -> None:
        self._name = name
        self._url = url
        self._headers = {"Authorization": f"Token {key}"} if key else {}
        self._finalizing: deque[float] = deque(maxlen=64)
        self.format = format

    def url(self) -> str:
        return self._url

    def headers(self) -> dict[str, str]:
        return self._headers

    def audio(self, audio: bytes) -> Wire:
        return audio

    def flush(self, at_ms: float, unsettled_ms: float) -> Iterable[Wire]:
        self._finalizing.append(at_ms)
        return (wire.FINALIZE,)

    def drop(self, at_ms: float, unsettled_ms: float, finished: bool) -> Iterable[Wire]:
        return () if finished else self.flush(at_ms, unsettled_ms)

    def keep_alive(self) -> Iterable[Wire]:
        return (wire.KEEP_ALIVE,)

    def read(self, message: Wire) -> tuple[Sequence[Heard], Sequence[Wire]]:
        match wire.parse_listen(message):
            case wire.Results(text, end_ms, False):
                return (Interim(text, end_ms),), ()
            case wire.Results(text, end_ms, _, finalized, confidence, language):
                end_ms = max(end_ms, self._finalized(end_ms)) if finalized else end_ms
                return (Settled(text, end_ms, language, confidence),), ()
            case wire.Fault(code):
                raise ProviderError(self._name, f"failed ({code or 'no reason given'})")
        return (), ()

    def _finalized(self, end_ms: float) -> float:
        """Up to where everything is settled, by an answer to Finalize that ends at `end_ms`."""
        while self._finalizing and self._finalizing[0] <= end_ms + _FINALIZED_MS:
            end_ms = max(end_ms, self._finalizing.popleft())
        return end_ms


class DeepgramStt:
    """The provider. One language is listened for, or, with several in `languages`, each utterance's is
    detected (`language=multi`, with hints). `url` is http(s) or ws(s). Raises ProviderError without a key.
    """

    name = "deepgram"

    def __init__(
        self,
        key: str,
        *,
        url: str = "https://api.deepgram.com",
        model: str = "nova-3",
        languages: Sequence[str] = (),
        keyterms: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        require_key(self.name, key, url, "deepgram.com", "DEEPGRAM_API_KEY")
        self._key = key
        self._base = websocket_base(self.name, url)
        self._model = model
        self._languages = tuple(languages)
        self._keyterms = tuple(keyterms)
        self._limits = limits or Limits()

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> StreamRecognizer:
        """Must be called on the event loop. `languages`: what this leg may speak, if not the provider's."""
        wanted = wanted_languages(languages or self._languages, language)
        encoding = ENCODINGS[format.encoding]
        url = wire.listen_url(self._base, self._model, encoding, format.rate, wanted, self._keyterms)

        def dialect() -> DeepgramDialect:
            return DeepgramDialect(self.name, self._key, url, format)

        known = wanted[0] if len(wanted) == 1 else ""
        return StreamRecognizer(self.name, dialect, format, known, on_partial, self._limits)

    async def close(self) -> None:
        """Nothing to release: each leg's recognizer closes its own connection."""
