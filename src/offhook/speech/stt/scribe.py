"""Speech to text by ElevenLabs' realtime recognizer (Scribe); we commit, the server's own detector is off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from offhook.audio.frame import PHONE, AudioFormat, Encoding
from offhook.foundation.errors import ProviderError
from offhook.protocols import scribe as wire
from offhook.speech.stt.dialect import (
    Described,
    Habits,
    Heard,
    Interim,
    Limits,
    Ready,
    Settled,
    Wire,
    require_key,
    wanted_languages,
    websocket_base,
)
from offhook.speech.stt.stream import StreamRecognizer

_RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
_KEEP_ALIVE_MS = 100
_REASONS = {
    "auth_error": "refused the key",
    "quota_exceeded": "has no quota left",
    "unaccepted_terms": "wants its terms accepted",
    "input_error": "did not accept the session; check the model's name and its options",
    "invalid_request": "did not accept the session; check the model's name and its options",
    "rate_limited": "is over its rate limit",
    "session_time_limit_exceeded": "ended the session, which was too long",
}


class ScribeDialect:
    """One session. Commits are answered in their order, which tells whose words an answer brings."""

    def __init__(self, name: str, key: str, url: str, format: AudioFormat, describes: bool) -> None:
        self._name = name
        self._url = url
        self._headers = {"xi-api-key": key} if key else {}
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
                reason = _REASONS.get(code, f"failed ({code})")
                raise ProviderError(self._name, reason, retryable=retryable)
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


class ScribeStt:
    """The provider. One language is set, or, with several in `languages`, each utterance's is detected."""

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
        require_key(self.name, key, url, "elevenlabs.io", "ELEVENLABS_API_KEY")
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
        sent = vendor_format(format)
        kind = f"ulaw_{sent.rate}" if sent.encoding is Encoding.ULAW else f"pcm_{sent.rate}"
        url = wire.realtime_url(self._base, self._model, kind, wanted, self._keyterms)
        several = len(wanted) != 1

        def dialect() -> ScribeDialect:
            return ScribeDialect(self.name, self._key, url, sent, several)

        known = "" if several else wanted[0]
        return StreamRecognizer(self.name, dialect, format, known, on_partial, self._limits)

    async def close(self) -> None:
        """Nothing to release: each leg's recognizer closes its own connection."""


def vendor_format(format: AudioFormat) -> AudioFormat:
    """What Scribe is sent for a leg's audio: the same where it can be."""
    if format.rate == PHONE.rate and format.encoding is not Encoding.PCM16:
        return PHONE
    rate = format.rate if format.rate in _RATES else 16_000
    return AudioFormat(Encoding.PCM16, rate)
