"""Speech to text by ElevenLabs' realtime recognizer (Scribe); we commit, the server's own detector is off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from offhook.audio.frame import PHONE, AudioFormat, Encoding
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.protocols import scribe as wire
from offhook.speech.stt.dialect import Described, Habits, Heard, Interim, Limits, Ready, Settled, Wire
from offhook.speech.stt.hosted import HostedStt, key_header, websocket_base

_RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
_KEEP_ALIVE_MS = 100
_DENIED = {
    "auth_error": "refused the key",
    "quota_exceeded": "has no quota left",
    "unaccepted_terms": "wants its terms accepted",
}


class ScribeDialect:
    """One session. Commits are answered in their order, which tells whose words an answer brings."""

    def __init__(
        self, name: str, url: str, headers: dict[str, str], format: AudioFormat, describes: bool
    ) -> None:
        self._name = name
        self._url = url
        self._headers = headers
        self._commits: deque[float] = deque(maxlen=64)
        self._sent = 0
        self._uncommitted = 0
        self._last = ""
        self._described = True
        self.format = format
        self.habits = Habits(chunk_ms=100, describes=describes)

    def url(self) -> str:
        return self._url

    def headers(self) -> dict[str, str]:
        return self._headers

    def audio(self, audio: bytes) -> Wire:
        self._sent += len(audio)
        self._uncommitted += len(audio)
        return wire.chunk(audio, self.format.rate)

    def flush(self, at_ms: float, unsettled_ms: float) -> Iterable[Wire]:
        missing = self.format.size(wire.LEAST_COMMIT_MS) - self._uncommitted
        pad = self.format.silence(missing // self.format.width) if missing > 0 else b""
        self._uncommitted = 0
        self._commits.append(at_ms)
        return (wire.chunk(pad, self.format.rate, commit=True),)

    def drop(self, at_ms: float, unsettled_ms: float, finished: bool) -> Iterable[Wire]:
        return () if finished else self.flush(at_ms, unsettled_ms)

    def keep_alive(self) -> Iterable[Wire]:
        silence = self.format.silence(self.format.samples(_KEEP_ALIVE_MS))
        self._uncommitted += len(silence)
        return (wire.chunk(silence, self.format.rate),)

    def read(self, message: Wire) -> tuple[Sequence[Heard], Sequence[Wire]]:
        match wire.parse(message):
            case wire.Started():
                return (Ready(),), ()
            case wire.Partial(text):
                return (Interim(text, self._commits[0] if self._commits else self.format.ms(self._sent)),), ()
            case wire.Committed(text):
                return self._committed(text), ()
            case wire.Described() as described:
                return self._describe(described), ()
            case wire.Unheard():
                return self._committed("") if self._commits else (), ()
            case wire.Fault(code, retryable):
                raise _error(self._name, code, retryable)
        return (), ()

    def _committed(self, text: str) -> Sequence[Heard]:
        if not self._commits and text == self._last:
            return ()  # the server is known to repeat itself
        end_ms = self._commits.popleft() if self._commits else self.format.ms(self._sent)
        self._last, self._described = text, False
        return (Settled(text, end_ms),)

    def _describe(self, described: wire.Described) -> Sequence[Heard]:
        heard: list[Heard] = []
        if described.commits and self._commits and (self._described or described.text != self._last):
            heard += self._committed(described.text)
        self._described = True
        return (*heard, Described(described.language, described.confidence))


class ScribeStt(HostedStt):
    """The provider. Raises ProviderError."""

    name = "elevenlabs"

    def __init__(
        self,
        key: str,
        *,
        url: str = "https://api.elevenlabs.io",
        model: str = "scribe_v2_realtime",
        languages: Sequence[str] = (),
        keyterms: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        super().__init__(languages, limits)
        self._headers = key_header(self.name, key, url, "elevenlabs.io", "xi-api-key")
        self._base = websocket_base(self.name, url)
        self._model = model
        self._keyterms = tuple(keyterms)

    def dialects(self, format: AudioFormat, languages: tuple[str, ...]) -> Callable[[], ScribeDialect]:
        sent = vendor_format(format)
        kind = f"ulaw_{sent.rate}" if sent.encoding is Encoding.ULAW else f"pcm_{sent.rate}"
        url = wire.realtime_url(self._base, self._model, kind, languages, self._keyterms)
        return lambda: ScribeDialect(self.name, url, self._headers, sent, len(languages) != 1)


def _error(name: str, code: str, retryable: bool) -> ProviderError:
    if code in _DENIED:
        return DeniedError(name, _DENIED[code])
    if not retryable:
        return UnfitError(name, "did not accept the session; check the model's name and its options")
    return BusyError(name, f"ended the session ({code})")


def vendor_format(format: AudioFormat) -> AudioFormat:
    """What Scribe is sent for a leg's audio: the same where it can be."""
    if format.rate == PHONE.rate and format.encoding is not Encoding.PCM16:
        return PHONE
    rate = format.rate if format.rate in _RATES else 16_000
    return AudioFormat(Encoding.PCM16, rate)
