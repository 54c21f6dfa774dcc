"""Speech to text by Deepgram's streaming recognizer (Listen v1: the Nova models). Flux is `deepgram_flux`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from offhook.audio.frame import AudioFormat, Encoding
from offhook.foundation.errors import ProviderError
from offhook.protocols import deepgram as wire
from offhook.speech.stt.dialect import Habits, Heard, Interim, Limits, Settled, Wire
from offhook.speech.stt.hosted import HostedStt, key_header, websocket_base

ENCODINGS = {Encoding.PCM16: "linear16", Encoding.ULAW: "mulaw", Encoding.ALAW: "alaw"}
_FINALIZED_MS = 250
"""An answer to Finalize may end a little before the audio does."""


class DeepgramDialect:
    """One v1 session. It knows by stream time which sound every result covers."""

    habits = Habits(chunk_ms=60, slack_ms=100, grace_ms=600, greets=False)

    def __init__(self, name: str, url: str, headers: dict[str, str], format: AudioFormat) -> None:
        self._name = name
        self._url = url
        self._headers = headers
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


class DeepgramStt(HostedStt):
    """The provider. Several languages are detected by `language=multi`, with hints. Raises ProviderError."""

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
        super().__init__(languages, limits)
        self._headers = key_header(self.name, key, url, "deepgram.com", "Authorization", "Token {}")
        self._base = websocket_base(self.name, url)
        self._model = model
        self._keyterms = tuple(keyterms)

    def dialects(self, format: AudioFormat, languages: tuple[str, ...]) -> Callable[[], DeepgramDialect]:
        encoding = ENCODINGS[format.encoding]
        url = wire.listen_url(self._base, self._model, encoding, format.rate, languages, self._keyterms)
        return lambda: DeepgramDialect(self.name, url, self._headers, format)
