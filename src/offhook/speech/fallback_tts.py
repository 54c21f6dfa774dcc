"""One voice made of several: a sentence that did not begin is said by the next one. Plays nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing

import structlog

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import BrokenOffError, ProviderError
from offhook.speech.base import Tts
from offhook.speech.breaker import State
from offhook.speech.fallback import Lineup, Place, absorbed, served_by_none, timed

FIRST_AUDIO_S = 1.5
LAST_FIRST_AUDIO_S = 2.5
NEXT_AUDIO_S = 1.5
LAST_NEXT_AUDIO_S = 3.0
_log = structlog.get_logger(__name__)


class Casting:
    """Which voice each provider speaks with.

    `chosen[language][provider]` is the operator's choice, "" standing for any language; `owners` names the
    provider to which a voice belongs where `voices()` cannot list all that a vendor has.
    """

    def __init__(
        self,
        chosen: Mapping[str, Mapping[str, str]] | None = None,
        owners: Mapping[str, str] | None = None,
    ) -> None:
        self._chosen = chosen or {}
        self._owners = owners or {}
        self._told: set[tuple[str, str]] = set()
        self.owned = list(self._owners)

    def voice(self, provider: Tts, name: str, wanted: str, language: str) -> str:
        """The voice to ask for: the one wanted, else the language's, else the provider's own (told once)."""
        if wanted and self.has(provider, name, wanted):
            return wanted
        for code in (language.lower(), language.lower().partition("-")[0], ""):
            if voice := self._chosen.get(code, {}).get(name, ""):
                return voice
        if wanted and (name, wanted) not in self._told:
            self._told.add((name, wanted))
            _log.warning("a provider does not have the voice; it uses its own", provider=name, voice=wanted)
        return ""

    def has(self, provider: Tts, name: str, voice: str) -> bool:
        """Whether the provider speaks with a voice of this name."""
        return self._owners.get(voice) == name or voice in list(provider.voices())


class FallbackTts:
    """Voices in an order per language.

    A sentence whose first sound does not come (within `first_audio_s`, where another voice is left) is said
    by the next voice. One that breaks off later raises BrokenOffError; what was given stays.
    """

    def __init__(
        self, lineup: Lineup[Tts], casting: Casting | None = None, first_audio_s: float = FIRST_AUDIO_S
    ) -> None:
        self.name = "voice"
        self.lineup = lineup
        self._casting = casting or Casting()
        self._first_audio_s = first_audio_s

    def is_settled(self, language: str) -> bool:
        """Whether the language's first voice is well: no other one speaks for it."""
        return self.lineup.order(language)[0].breaker.state is State.UP

    def on_recovered(self, tell: Callable[[], None]) -> None:
        """Tell when a voice is well again that was not."""
        self.lineup.on_recovered = tell

    def voices(self) -> Sequence[str]:
        """The voices of all, the default of the first one first."""
        named = (voice for place in self.lineup.places for voice in place.provider.voices())
        return list(dict.fromkeys((*named, *self._casting.owned)))

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        """Raises ProviderError when no voice is left, BrokenOffError when one stopped in the middle."""
        last: ProviderError | None = None
        candidates = self.lineup.candidates(language)
        for place in candidates:
            if last is not None:
                absorbed(last)
            pieces = self._pieces(place, place is candidates[-1], text, voice, language, format)
            sounded = False
            try:
                async with aclosing(pieces):
                    async for piece in pieces:
                        sounded = True
                        yield piece
            except ProviderError as error:
                self.lineup.failed(place, error, language)
                if sounded:
                    absorbed(error)
                    raise BrokenOffError(place.name, "broke off in the middle of a sentence") from error
                last = error
            else:
                self.lineup.worked(place, language)
                return
        raise served_by_none(self.name, last)

    async def _pieces(
        self, place: Place[Tts], is_last: bool, text: str, voice: str, language: str, format: AudioFormat
    ) -> AsyncGenerator[bytes, None]:
        """One voice's sound of the sentence. Raises ProviderError, also where there is none."""
        self.lineup.asked(place)
        wanted = self._casting.voice(place.provider, place.name, voice, language)
        first = max(LAST_FIRST_AUDIO_S, self._first_audio_s) if is_last else self._first_audio_s
        rest = LAST_NEXT_AUDIO_S if is_last else NEXT_AUDIO_S
        stream = timed(place.provider.speak(text, wanted, language, format), place.name, first, rest)
        silent = True
        async with aclosing(stream):
            async for piece in stream:
                if piece:
                    silent = False
                    yield piece
        if silent and any(letter.isalnum() for letter in text):
            raise ProviderError(place.name, "gave no sound")

    async def close(self) -> None:
        await self.lineup.close()
