"""A recognizer that follows a script, for tests: it hears nothing and says what it was given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import ProviderError
from offhook.speech.base import Transcript


class ScriptedStt:
    """Each recognizer gives `texts` in order, one per utterance, the last one from then on.

    Settable at any time: `delay` in seconds before a result, `error` that fails every result
    (with `failures` > 0 only the next so many).
    """

    name = "scripted"

    def __init__(
        self,
        texts: Sequence[str] = ("Hello, I would like to know your opening hours.",),
        *,
        delay: float = 0.0,
        error: str = "",
        failures: int = 0,
    ) -> None:
        self.texts = list(texts)
        self.delay = delay
        self.error = error
        self.failures = failures

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> ScriptedRecognizer:
        return ScriptedRecognizer(self, language, on_partial)

    async def close(self) -> None:
        """Nothing to release."""

    def check(self) -> None:
        """Raise the error that is set, if it is due."""
        if not self.error:
            return
        error = ProviderError(self.name, self.error)
        if self.failures:
            self.failures -= 1
            if not self.failures:
                self.error = ""
        raise error


class ScriptedRecognizer:
    """One leg's script. The first sound of an utterance gives the whole text as a partial."""

    def __init__(self, stt: ScriptedStt, language: str, on_partial: Callable[[str], None] | None) -> None:
        self._stt = stt
        self._language = language
        self._on_partial = on_partial
        self._utterance = -1
        self.pushed = 0

    @property
    def _text(self) -> str:
        return self._stt.texts[min(max(self._utterance, 0), len(self._stt.texts) - 1)]

    def begin(self) -> None:
        self._utterance += 1
        self.pushed = 0

    def push(self, audio: bytes) -> None:
        if not self.pushed and self._on_partial is not None:
            self._on_partial(self._text)
        self.pushed += len(audio)

    async def finish(self) -> Transcript:
        text = self._text if self.pushed else ""
        if self._stt.delay:
            await asyncio.sleep(self._stt.delay)
        self._stt.check()
        return Transcript(text, self._language)

    def drop(self) -> None:
        self.pushed = 0

    async def close(self) -> None:
        """Nothing to release."""
