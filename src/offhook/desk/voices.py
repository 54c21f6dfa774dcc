"""Which voices there are, and who speaks with them: the house's own providers, loaded once. Plays nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offhook.foundation.errors import NotFoundError, OffhookError, ProviderError
from offhook.speech.base import Tts
from offhook.speech.fallback_tts import FallbackTts
from offhook.speech.library import Clone, Library, Voice

LIST_S = 3.0
LISTED_S = 30.0
RETRY_S = 30.0
_MOST = 500
_MODEL_LANGUAGE = re.compile(r".*-([a-z]{2})\Z")
_CODE = re.compile(r"[a-z]{2,3}(-[a-z0-9-]+)?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Owner:
    """A provider of voices. `reason` says why it has none now, empty while it is well."""

    name: str
    local: bool
    languages: tuple[str, ...] = ()
    clones: bool = False
    reason: str = ""


class VoiceBook:
    """The providers that the settings name, by name. `house` is what callers hear, where it is a voice of
    ours; `make` makes a provider that is not in it, at its first use and in a thread."""

    def __init__(
        self,
        house: Tts | None,
        names: Sequence[str],
        local: frozenset[str],
        make: Callable[[str], Tts],
        make_house: Callable[[], Tts] | None = None,
    ) -> None:
        self.names = tuple(dict.fromkeys((*_parts(house), *names)))
        self._house = house
        self._local = local
        self._make = make
        self._make_house = make_house
        self._ready: dict[str, Tts] = _parts(house)
        self._made: list[Tts] = []
        self._failed: dict[str, tuple[float, OffhookError]] = {}
        self._making = asyncio.Lock()
        self._listed: dict[str, tuple[float, list[Voice]]] = {}

    async def tts(self, provider: str = "") -> Tts:
        """A provider by its name; the house's voice without one. Raises NotFoundError, ProviderError."""
        if not provider and self._house is not None:
            return self._house
        if provider and provider not in self.names:
            raise NotFoundError(
                f"there is no voice provider {provider[:32]!r} here; there are {', '.join(self.names)}"
            )
        if (ready := self._ready.get(provider)) is not None:
            return ready
        async with self._making:
            return self._ready.get(provider) or await self._made_now(provider)

    async def _made_now(self, provider: str) -> Tts:
        """Made in a thread; what failed is not tried again for half a minute."""
        now = asyncio.get_running_loop().time()
        at, error = self._failed.get(provider, (0.0, None))
        if error is not None and now < at + RETRY_S:
            raise error
        make_house = self._make_house
        try:
            if provider:
                made = await asyncio.to_thread(self._make, provider)
            elif make_house is not None:
                made = await asyncio.to_thread(make_house)
            else:
                raise ProviderError("voice", "there is no voice provider", retryable=False)
        except OffhookError as failed:
            self._failed[provider] = (now, failed)
            raise
        self._made.append(made)
        if not provider:
            self._house = made
            self._ready = {**_parts(made), **self._ready}
        self._ready[provider] = made
        return made

    def knows(self, provider: str, voice: str) -> bool:
        """Whether the provider's vendor listed this voice."""
        return any(known.id == voice for known in self._listed.get(provider, (0.0, ()))[1])

    def is_local(self, provider: str) -> bool:
        return provider in self._local

    async def owners(self) -> list[tuple[Owner, list[Voice]]]:
        """Every provider and its voices; one that fails says why, the others are listed all the same."""
        return list(await asyncio.gather(*(self._owner(name) for name in self.names)))

    async def _owner(self, name: str) -> tuple[Owner, list[Voice]]:
        local = self.is_local(name)
        try:
            tts = await self.tts(name)
        except OffhookError as error:
            return Owner(name, local, reason=error.reason), []
        languages = tuple(str(code) for code in getattr(tts, "languages", ()))
        voices = [Voice(id, id, _language(id, languages), name) for id in list(tts.voices())[:_MOST]]
        reason = ""
        if isinstance(tts, Library):
            try:
                voices = _merged(voices, await self._library(name, tts))
            except ProviderError as error:
                reason = error.reason
        return Owner(name, local, languages, isinstance(tts, Library), reason), voices

    async def _library(self, name: str, tts: Library) -> list[Voice]:
        """The vendor's list, asked for at most twice a minute. Raises ProviderError."""
        now = asyncio.get_running_loop().time()
        if (known := self._listed.get(name)) is not None and now < known[0] + LISTED_S:
            return known[1]
        try:
            async with asyncio.timeout(LIST_S):
                found = list(await tts.library())[:_MOST]
        except TimeoutError:
            raise ProviderError(name, "did not list its voices in time") from None
        self._listed[name] = (now, found)
        return found

    async def clone(
        self, provider: str, name: str, samples: Sequence[tuple[str, bytes]], description: str
    ) -> Clone:
        """A new voice of the provider's, listed from now on. Raises NotFoundError, ProviderError."""
        tts = await self.tts(provider)
        if not provider or not isinstance(tts, Library):
            raise NotFoundError(f"{provider[:32] or 'the house'} does not clone voices")
        made = await tts.clone(name, samples, description)
        self._listed.pop(provider, None)
        return made

    async def close(self) -> None:
        """Let go of the providers that were made here; the house's own belong to its engines."""
        await asyncio.gather(*(tts.close() for tts in self._made), return_exceptions=True)


def _parts(house: Tts | None) -> dict[str, Tts]:
    """The single providers of the house's voice."""
    if isinstance(house, FallbackTts):
        return {place.name: place.provider for place in house.lineup.places}
    return {house.name: house} if house is not None else {}


def _language(voice: str, languages: Sequence[str]) -> str:
    """A voice that is called by its language, ends with it, or belongs to a provider of one language."""
    if len(languages) == 1:
        return languages[0]
    if len(languages) > 1:
        return voice if _CODE.match(voice) else ""
    named = _MODEL_LANGUAGE.match(voice)
    return named[1] if named else ""


def _merged(own: list[Voice], library: Sequence[Voice]) -> list[Voice]:
    """The vendor's list, with what the settings name in front where the vendor does not list it."""
    listed = {voice.id for voice in library}
    return [*(voice for voice in own if voice.id not in listed), *library]
