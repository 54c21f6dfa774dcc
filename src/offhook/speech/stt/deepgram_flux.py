"""Speech to text by Deepgram Flux (Listen v2), which also judges whether the caller has finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import ProviderError, UnfitError
from offhook.protocols import deepgram as wire
from offhook.protocols.deepgram import TurnEvent
from offhook.speech.stt.deepgram import ENCODINGS
from offhook.speech.stt.dialect import Habits, Heard, Interim, Limits, Ready, Settled, TurnSound, Wire
from offhook.speech.stt.hosted import HostedStt, key_header, websocket_base
from offhook.speech.stt.stream import StreamRecognizer

_PUSH_THROUGH_MS = 240
"""Flux speaks up for every quarter of a second of audio: silence makes it come to the end of the speech."""
_KEEP_ALIVE_MS = 80
_JUDGE_MS = 300
_FRESH_MS = 300


class FluxDialect:
    """One v2 session. Flux ends turns by itself; we force an end only when it says nothing, or to drop."""

    habits = Habits(chunk_ms=80, patience_ms=300, slack_ms=120, grace_ms=300, firm=True, relieve=False)

    def __init__(
        self, name: str, url: str, headers: dict[str, str], format: AudioFormat, threshold: float
    ) -> None:
        self._name = name
        self._url = url
        self._headers = headers
        self._threshold = threshold
        self._forced: deque[float] = deque(maxlen=64)
        self._silence_ms = 0.0
        self._in_turn = False
        self.format = format

    def url(self) -> str:
        return self._url

    def headers(self) -> dict[str, str]:
        return self._headers

    def audio(self, audio: bytes) -> Wire:
        return audio

    def flush(self, at_ms: float, unsettled_ms: float) -> Iterable[Wire]:
        self._forced.append(at_ms)
        return self._silence(_PUSH_THROUGH_MS), wire.FORCE_END_TURN

    def drop(self, at_ms: float, unsettled_ms: float, finished: bool) -> Iterable[Wire]:
        return (wire.FORCE_END_TURN,) if self._in_turn else ()

    def keep_alive(self) -> Iterable[Wire]:
        return (self._silence(_KEEP_ALIVE_MS),)

    def _silence(self, ms: int) -> bytes:
        self._silence_ms += ms
        return self.format.silence(self.format.samples(ms))

    def read(self, message: Wire) -> tuple[Sequence[Heard], Sequence[Wire]]:
        match wire.parse_flux(message):
            case wire.TurnInfo() as info:
                return self._turn(info), ()
            case wire.Connected():
                return (Ready(),), ()
            case wire.Fault(code):
                raise ProviderError(self._name, f"failed ({code or 'no reason given'})")
        return (), ()

    def _turn(self, info: wire.TurnInfo) -> Sequence[Heard]:
        end_ms = max(0.0, info.end_ms - self._silence_ms)
        if info.event is TurnEvent.END:
            self._in_turn = False
            if self._forced:
                end_ms = max(end_ms, self._forced.popleft())
            words = Settled(info.text, end_ms, info.language, info.confidence)
            return words, TurnSound(1.0, end_ms)
        self._in_turn = bool(info.text) or info.event is not TurnEvent.UPDATE
        return Interim(info.text, end_ms), TurnSound(self._over(info), end_ms)

    def _over(self, info: wire.TurnInfo) -> float:
        """Flux's confidence, shifted so that its own threshold is our one half."""
        limit = self._threshold
        if info.over < limit:
            over = info.over / limit / 2
        else:
            over = 0.5 if limit >= 1 else 0.5 + (info.over - limit) / (1 - limit) / 2
        return max(0.5, over) if info.event is TurnEvent.EAGER else over


class FluxRecognizer(StreamRecognizer):
    """One leg's utterances, and Flux's judgement of them."""

    async def turn_complete(self) -> float | None:
        """Probability that the caller, who paused, has finished: 1.0 when Flux ended the turn.

        Waits up to 300 ms for Flux to find so; None when it says nothing.
        """
        utterance = self._utterance
        if utterance is None:
            return None
        since = utterance.pushed_ms - _FRESH_MS

        def over() -> bool:
            if self._utterance is not utterance or utterance.error is not None:
                return True
            return (
                self.turn is not None
                and self.turn.over >= 0.5
                and self.turn.end_ms + self._offset_ms >= since
            )

        await self._within(_JUDGE_MS, over)
        if self._utterance is not utterance or utterance.error is not None or self.turn is None:
            return None
        return self.turn.over


class DeepgramFluxStt(HostedStt):
    """The provider. `model` is flux-general-en, or flux-general-multi, which detects among `languages`.

    `threshold` is the confidence at which Flux ends a turn (0.5 to 0.9; 1 leaves it to us),
    `eager_threshold` (0.3 to 0.9, 0 is off) the one at which it says that the turn may be over.
    """

    name = "deepgram-flux"
    recognizer = FluxRecognizer

    def __init__(
        self,
        key: str,
        *,
        url: str = "https://api.deepgram.com",
        model: str = "flux-general-en",
        languages: Sequence[str] = (),
        keyterms: Sequence[str] = (),
        threshold: float = 0.7,
        eager_threshold: float = 0.0,
        timeout_ms: int = 5_000,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(languages, limits)
        self._headers = key_header("deepgram", key, url, "deepgram.com", "Authorization", "Token {}")
        self._base = websocket_base(self.name, url)
        self._model = model
        self._multi = model.endswith("-multi")
        self.languages = () if self._multi else ("en",)
        self._keyterms = tuple(keyterms)
        self._threshold = threshold
        self._eager_threshold = eager_threshold
        self._timeout_ms = timeout_ms

    def listened(self, languages: tuple[str, ...]) -> tuple[str, ...]:
        if self._multi:
            return languages
        for language in languages:
            if language != "en":
                reason = f"{self._model} understands English only, not {language!r}; use flux-general-multi"
                raise UnfitError(self.name, reason)
        return ("en",)

    def dialects(self, format: AudioFormat, languages: tuple[str, ...]) -> Callable[[], FluxDialect]:
        url = wire.flux_url(
            self._base,
            self._model,
            ENCODINGS[format.encoding],
            format.rate,
            languages if self._multi else (),
            self._keyterms,
            threshold=self._threshold,
            eager_threshold=self._eager_threshold,
            timeout_ms=self._timeout_ms,
        )
        return lambda: FluxDialect(self.name, url, self._headers, format, self._threshold)
