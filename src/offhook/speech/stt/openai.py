"""Speech to text by OpenAI's streaming transcription sessions; we commit, the server's detector is off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from offhook.audio.frame import AudioFormat, Encoding
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.protocols import openai_transcription as wire
from offhook.speech.stt.dialect import Habits, Heard, Interim, Limits, Ready, Settled, Wire
from offhook.speech.stt.hosted import HostedStt, key_header, websocket_base

_FORMATS = {Encoding.PCM16: "audio/pcm", Encoding.ULAW: "audio/pcmu", Encoding.ALAW: "audio/pcma"}
_MOST_ITEMS = 64
_KEY_CODES = frozenset(("invalid_api_key", "authentication_error", "missing_scope"))
_SPENT_CODES = frozenset(("insufficient_quota", "billing_hard_limit_reached"))
_OVER_KINDS = frozenset(("server_error", "rate_limit_error", "rate_limit_exceeded", "session_expired"))


@dataclass(slots=True)
class Item:
    """One commit's words on their way. `at_ms` is None until the commit is made."""

    at_ms: float | None = None
    text: str = ""
    done: Settled | None = None


LIVE, TELLING = "gpt-live-transcribe", "gpt-transcribe"


class OpenAiDialect:
    """One session. Items are told apart by their ids, and given on in the order of the sound."""

    habits = Habits(chunk_ms=100)

    def __init__(
        self, name: str, url: str, headers: dict[str, str], update: str, format: AudioFormat
    ) -> None:
        self._name = name
        self._url = url
        self._headers = headers
        self._update = update
        self._commits: deque[tuple[str, float]] = deque(maxlen=_MOST_ITEMS)
        self._items: dict[str, Item] = {}
        self._sent = self._uncommitted = self._serial = 0
        self._dropped_ms = 0.0
        self._ready = False
        self.format = format

    def url(self) -> str:
        return self._url

    def headers(self) -> dict[str, str]:
        return self._headers

    def audio(self, audio: bytes) -> Wire:
        self._sent += len(audio)
        self._uncommitted += len(audio)
        return wire.append(audio)

    def flush(self, at_ms: float, unsettled_ms: float) -> Iterable[Wire]:
        missing = self.format.size(wire.LEAST_COMMIT_MS) - self._uncommitted
        if missing > 0:
            yield wire.append(self.format.silence(missing // self.format.width))
        self._uncommitted = 0
        self._serial += 1
        self._commits.append((f"commit_{self._serial}", at_ms))
        yield wire.commit(f"commit_{self._serial}")

    def drop(self, at_ms: float, unsettled_ms: float, finished: bool) -> Iterable[Wire]:
        self._uncommitted = 0
        self._dropped_ms = at_ms
        for item in self._items.values():
            if item.at_ms is None:
                item.at_ms, item.done = at_ms, Settled("", at_ms)
        return (wire.CLEAR,)

    def keep_alive(self) -> Iterable[Wire]:
        return ()

    def read(self, message: Wire) -> tuple[Sequence[Heard], Sequence[Wire]]:
        match wire.parse(message):
            case wire.Created():
                return (), (self._update,)
            case wire.Updated():
                self._ready = True
                return (Ready(),), ()
            case wire.Taken(name):
                if self._commits:
                    self._item(name).at_ms = self._commits.popleft()[1]
                return (), ()
            case wire.Delta(name, text):
                self._item(name).text += text[: wire.MAX_TEXT]
                return self._interim(), ()
            case wire.Completed(name, text, language, confidence):
                item = self._item(name)
                item.done = Settled(text, self._end(item), language, confidence)
                return self._settled(), ()
            case wire.Failed(name, _):
                return self._failed(self._item(name)), ()
            case wire.Fault(kind, code, event):
                return self._fault(kind, code, event), ()
        return (), ()

    def _item(self, name: str) -> Item:
        if name not in self._items and len(self._items) >= _MOST_ITEMS:
            raise ProviderError(self._name, "does not finish what it begins")
        return self._items.setdefault(name, Item())

    def _end(self, item: Item) -> float:
        return self.format.ms(self._sent) if item.at_ms is None else item.at_ms

    def _interim(self) -> Sequence[Heard]:
        live = [item for item in self._items.values() if self._end(item) > self._dropped_ms]
        words = [item.done.text if item.done else item.text.strip() for item in live]
        return (Interim(" ".join(word for word in words if word), self._end(live[0])),) if live else ()

    def _settled(self) -> Sequence[Heard]:
        """The completed items that no earlier one holds up."""
        heard: list[Heard] = []
        for name, item in sorted(self._items.items(), key=lambda entry: self._end(entry[1])):
            if item.done is None:
                break
            heard.append(item.done)
            del self._items[name]
        return heard

    def _failed(self, item: Item) -> Sequence[Heard]:
        if self._end(item) > self._dropped_ms:
            raise ProviderError(self._name, "could not transcribe the audio")
        item.done = Settled("", self._end(item))
        return self._settled()

    def _fault(self, kind: str, code: str, event: str) -> Sequence[Heard]:
        for commit in self._commits:
            if event == commit[0]:  # there was nothing to commit
                self._commits.remove(commit)
                self._items[f"refused {event}"] = Item(commit[1], "", Settled("", commit[1]))
                return self._settled()
        if code in _KEY_CODES or kind in _KEY_CODES:
            raise DeniedError(self._name)
        if code in _SPENT_CODES or kind in _SPENT_CODES:
            raise DeniedError(self._name, "is over its spending limit")
        if code in _OVER_KINDS or kind in _OVER_KINDS:
            raise BusyError(self._name, "ended the session")
        if not self._ready:
            raise UnfitError(self._name, "did not accept the session; check the model's name and its options")
        return ()


class OpenAiStt(HostedStt):
    """The provider; `url` is the API's base (a server that speaks GA transcription sessions will do).

    An empty `model` is LIVE, which tells words while they are spoken; or TELLING, which tells the language,
    where several (or any) may be spoken. `prompt` and `keywords` guide the model where it takes them.
    `logprobs` asks for confidence, which not all models give. Raises ProviderError.
    """

    name = "openai"

    def __init__(
        self,
        key: str,
        *,
        url: str = "https://api.openai.com/v1",
        model: str = "",
        languages: Sequence[str] = (),
        prompt: str = "",
        keywords: Sequence[str] = (),
        noise_reduction: str = "",
        logprobs: bool = False,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(languages, limits)
        self._headers = key_header(self.name, key, url, "openai.com", "Authorization", "Bearer {}")
        self._url = wire.session_url(websocket_base(self.name, url))
        self._model = model
        self._prompt = prompt
        self._keywords = tuple(keywords)
        self._noise_reduction = noise_reduction
        self._logprobs = logprobs

    def dialects(self, format: AudioFormat, languages: tuple[str, ...]) -> Callable[[], OpenAiDialect]:
        sent = vendor_format(format)
        update = wire.session_update(
            self._model or (LIVE if len(languages) == 1 else TELLING),
            _FORMATS[sent.encoding],
            languages,
            prompt=self._prompt,
            keywords=self._keywords,
            noise_reduction=self._noise_reduction,
            logprobs=self._logprobs,
        )
        return lambda: OpenAiDialect(self.name, self._url, self._headers, update, sent)


def vendor_format(format: AudioFormat) -> AudioFormat:
    """What OpenAI is sent for a leg's audio: G.711 as it is, all else as PCM16 at 24 kHz."""
    if format.rate == 8_000 and format.encoding is not Encoding.PCM16:
        return format
    return AudioFormat(Encoding.PCM16, 24_000)
