"""One recognizer made of several: what was said to one that fails is said again to the next. No vendors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import ProviderError, UnfitError
from offhook.speech.base import Recognizer, Stt, Transcript, TurnJudge
from offhook.speech.fallback import Lineup, Place, absorbed, served_by_none
from offhook.speech.joined import joined

REPLAY_MS = 10_000
FINISH_S = 1.5
LAST_FINISH_S = 3.5
Partial = Callable[[str], None]


class FallbackStt:
    """Recognizers in an order per language."""

    def __init__(self, lineup: Lineup[Stt]) -> None:
        self.name = "recognizer"
        self.lineup = lineup

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Partial | None = None,
        languages: Sequence[str] = (),
    ) -> FallbackRecognizer:
        """Raises ProviderError when none of them can serve the language."""
        return FallbackRecognizer(self.lineup, format, (language, tuple(languages)), on_partial)

    async def close(self) -> None:
        await self.lineup.close()


class FallbackRecognizer:
    """One leg's utterances. The last ten seconds of one are kept, and said again to the next provider when
    the one that heard them fails; what was said before that is taken from its words so far.

    Each utterance begins with the best provider of the moment. All methods belong to the event loop.
    """

    def __init__(
        self,
        lineup: Lineup[Stt],
        format: AudioFormat,
        spoken: tuple[str, tuple[str, ...]],
        on_partial: Partial | None,
    ) -> None:
        """`spoken`: the language, or an empty one and those that the caller may speak."""
        self._lineup = lineup
        self._format = format
        self._spoken = spoken
        self._language = spoken[0] or "+".join(spoken[1])
        self._on_partial = on_partial
        self._keep = format.size(REPLAY_MS)
        self._audio = bytearray()
        self._forgot = False
        self._told = ""
        self._before = ""
        self._failed: list[Place[Stt]] = []
        self._unfit: list[Place[Stt]] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._serial = 0
        self._inner: Recognizer | None = None
        self._place: Place[Stt] | None = None
        self._error: ProviderError | None = None
        self._take()
        if len(self._unfit) == len(lineup.order(self._language)) and self._error is not None:
            raise self._error

    # The contract.

    def begin(self) -> None:
        self._serial += 1
        self._audio.clear()
        self._forgot = False
        self._told = self._before = ""
        self._failed.clear()
        best = self._best()
        if best is not None and best is not self._place:
            self._take()
        if self._inner is not None and self._place is not None:
            self._lineup.asked(self._place)
            self._inner.begin()

    def push(self, audio: bytes) -> None:
        self._audio += audio
        if len(self._audio) > 2 * self._keep:
            del self._audio[: -self._keep]
            self._forgot = True
        if self._inner is not None:
            self._inner.push(audio)

    async def finish(self) -> Transcript:
        """Raises ProviderError when no provider found the words."""
        serial = self._serial
        while True:
            inner, place = self._inner, self._place
            if inner is None or place is None:
                raise served_by_none("recognizer", self._error)
            try:
                transcript = await self._finished(inner, place)
            except ProviderError as error:
                if serial != self._serial:
                    return Transcript("")
                if place is self._place:
                    self._lose(place, error)
                continue
            if serial != self._serial or not self._audio:
                return transcript
            self._lineup.worked(place, self._language)
            return replace(transcript, text=joined(self._before, transcript.text))

    async def turn_complete(self) -> float | None:
        """What the recognizer of the moment hears of it, if it is one that does."""
        return await self._inner.turn_complete() if isinstance(self._inner, TurnJudge) else None

    def drop(self) -> None:
        self._serial += 1
        self._audio.clear()
        self._told = self._before = ""
        if self._inner is not None:
            self._inner.drop()

    async def close(self) -> None:
        self._serial += 1
        self._leave()
        await asyncio.gather(*self._closing, return_exceptions=True)

    # Who hears.

    def _best(self) -> Place[Stt] | None:
        candidates = self._lineup.candidates(self._language)
        return next((place for place in candidates if place not in (*self._failed, *self._unfit)), None)

    def _take(self) -> None:
        """Open the best provider that has not failed this utterance; none when there is none."""
        self._leave()
        while (place := self._best()) is not None:
            partial = self._listener(place) if self._on_partial is not None else None
            try:
                language, languages = self._spoken
                self._inner = place.provider.open(self._format, language, partial, languages)
            except UnfitError as error:
                self._error = error
                self._unfit.append(place)
            except ProviderError as error:
                self._error = error
                self._failed.append(place)
                self._lineup.failed(place, error, self._language)
            else:
                self._place = place
                return

    def _listener(self, place: Place[Stt]) -> Partial:
        def partial(text: str) -> None:
            if place is self._place and self._on_partial is not None:
                self._told = text
                self._on_partial(joined(self._before, text))

        return partial

    async def _finished(self, inner: Recognizer, place: Place[Stt]) -> Transcript:
        left = (*self._failed, *self._unfit, place)
        others = [other for other in self._lineup.candidates(self._language) if other not in left]
        limit = FINISH_S if others else LAST_FINISH_S
        try:
            async with asyncio.timeout(limit):
                return await inner.finish()
        except TimeoutError:
            raise ProviderError(place.name, f"gave no words within {limit:g} s") from None

    def _lose(self, place: Place[Stt], error: ProviderError) -> None:
        """The provider failed: say the utterance again to the next one."""
        self._error = error
        self._failed.append(place)
        self._lineup.failed(place, error, self._language)
        if len(self._audio) > self._keep:
            del self._audio[: -self._keep]
            self._forgot = True
        if self._forgot and self._told:
            self._before = joined(self._before, self._told)
        self._told = ""
        self._take()
        if self._inner is not None and self._place is not None:
            absorbed(error)
            self._lineup.asked(self._place)
            self._inner.begin()
            self._inner.push(bytes(self._audio))

    def _leave(self) -> None:
        """Let go of the provider; closing it takes its own time."""
        inner, self._inner, self._place = self._inner, None, None
        if inner is not None:
            task = asyncio.create_task(inner.close(), name="recognizer-close")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
