"""What the recognizers of all vendors have in common as providers: languages, keys, probes. No vendor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offhook.audio.frame import PHONE, AudioFormat
from offhook.foundation.errors import DeniedError, ProviderError
from offhook.protocols.languages import iso_639_1
from offhook.speech.stt.dialect import Dialect, Limits
from offhook.speech.stt.link import probe
from offhook.speech.stt.stream import StreamRecognizer


class HostedStt:
    """A provider whose recognizers each keep a WebSocket to the vendor.

    One language is listened for, or, with several (or none) in `languages`, each utterance's is detected.
    """

    name: str
    recognizer: type[StreamRecognizer] = StreamRecognizer
    languages: Sequence[str] = ()

    def __init__(self, languages: Sequence[str], limits: Limits | None) -> None:
        self._languages = tuple(languages)
        self._limits = limits or Limits()

    def dialects(self, format: AudioFormat, languages: tuple[str, ...]) -> Callable[[], Dialect]:
        """What makes the session of each connection."""
        raise NotImplementedError

    def listened(self, languages: tuple[str, ...]) -> tuple[str, ...]:
        """Of the wanted languages those that are listened for. Raises UnfitError."""
        return languages

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> StreamRecognizer:
        """Must be called on the event loop. `languages`: what this leg may speak, if not the provider's."""
        wanted = self.listened(wanted_languages(languages or self._languages, language))
        known = wanted[0] if len(wanted) == 1 else ""
        dialects = self.dialects(format, wanted)
        return self.recognizer(self.name, dialects, format, known, on_partial, self._limits)

    async def probe(self) -> None:
        """Raises ProviderError when no session can be had. Costs nothing: no audio is sent."""
        languages = wanted_languages(self._languages, "")
        await probe(self.name, self.dialects(PHONE, languages)(), self._limits)

    async def close(self) -> None:
        """Nothing to release: each leg's recognizer closes its own connection."""


def wanted_languages(given: Sequence[str], language: str) -> tuple[str, ...]:
    """The languages to listen for, the likeliest first, each once; empty: any."""
    first = [language] if language and language != "multi" else []
    return tuple(dict.fromkeys(code for name in (*first, *given) if (code := iso_639_1(name))))


def key_header(name: str, key: str, url: str, official: str, header: str, form: str = "{}") -> dict[str, str]:
    """The header that carries the key. Raises DeniedError without one where the vendor's own servers are
    asked (others may need none), and for what cannot be one."""
    if not key and official in url:
        raise DeniedError(name, f"needs a key: set {name}.api_key or {name.upper()}_API_KEY")
    if not key.isascii() or not (key.isprintable() or not key):
        raise DeniedError(name, "has a key with characters that no key has")
    return {header: form.format(key)} if key else {}


def websocket_base(name: str, url: str) -> str:
    """An http(s) or ws(s) address as ws(s), without a slash at its end. Raises ProviderError."""
    scheme, _, rest = url.rstrip("/").partition("://")
    known = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
    if scheme not in known or not rest:
        raise ProviderError(name, "its address must be an http(s) or ws(s) URL", retryable=False)
    return f"{known[scheme]}://{rest}"
