"""Text to speech by the local hibari voices, sentence by sentence on worker threads. English only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
from hibari import Hibari

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import UnfitError
from offhook.speech import models
from offhook.speech.clip import pack
from offhook.speech.loudness import shaped
from offhook.speech.pool import Ticket, Workers
from offhook.speech.tts.normalize import spoken

RATE = 24_000
DEADLINE = 10.0
CACHE_BYTES = 16 << 20
_DEFAULT = "heart"
_BETWEEN_MS = 160
_MOST_TEXT, _BREATH = 2000, 240

_Line = tuple[str, str, AudioFormat]


class HibariTts:
    """The provider. Voices are loaded at their first use; the default one, and its lexicon, now.

    Speech is at -20 dBFS rms, begins within 20 ms and ends with 60 ms of silence. Sentences are
    spoken and yielded one by one; clauses said before come from a cache of `cache_bytes`.
    """

    name = "hibari"
    languages = ("en",)
    rate = RATE

    def __init__(self, threads: int = 1, cache_bytes: int = CACHE_BYTES) -> None:
        self._voices: dict[str, Any] = {}
        self._loading = threading.Lock()
        self._said: OrderedDict[_Line, bytes] = OrderedDict()
        self._said_bytes = 0
        self._most_bytes = cache_bytes
        self._voice(_DEFAULT)("Ready.", seed=0)
        self.workers: Workers[_Line, bytes] = Workers(self.name, self._synthesize, threads=threads)

    def voices(self) -> Sequence[str]:
        """The default and those that were pulled."""
        names = [model.name.removeprefix("hibari-") for model in models.MODELS if _installed(model)]
        return sorted(names, key=lambda name: (name != _DEFAULT, name))

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        """Raises ProviderError for a voice that is not installed, and for languages other than English."""
        if language and not language.lower().startswith("en"):
            raise UnfitError(self.name, f"speaks English only, not {language!r}")
        sentences = breaths(spoken(text, language or "en")[:_MOST_TEXT])
        for number, sentence in enumerate(sentences):
            line = (sentence, voice or _DEFAULT, format)
            audio = self._recall(line)
            if audio is None:
                audio = await self.workers.run(line, DEADLINE)
                self._remember(line, audio)
            if audio:
                yield audio
                if number < len(sentences) - 1:
                    yield format.silence(format.samples(_BETWEEN_MS))

    def forget(self, text: str, language: str = "en") -> None:
        """Speak these words anew when they come again: for those who measure."""
        sentences = set(breaths(spoken(text, language or "en")[:_MOST_TEXT]))
        for line in [line for line in self._said if line[0] in sentences]:
            self._said_bytes -= len(self._said.pop(line))

    async def close(self) -> None:
        await self.workers.close()

    def _recall(self, line: _Line) -> bytes | None:
        audio = self._said.get(line)
        if audio is not None:
            self._said.move_to_end(line)
        return audio

    def _remember(self, line: _Line, audio: bytes) -> None:
        if len(audio) > self._most_bytes // 4 or line in self._said:
            return
        self._said[line] = audio
        self._said_bytes += len(audio)
        while self._said_bytes > self._most_bytes:
            self._said_bytes -= len(self._said.popitem(last=False)[1])

    def _voice(self, name: str) -> Any:
        """The loaded voice. Safe to share between threads once its lexicon and word net are loaded."""
        with self._loading:
            voice = self._voices.get(name)
            if voice is None:
                if all(model.name != f"hibari-{name}" for model in models.MODELS):
                    raise UnfitError(self.name, f"has no voice {name!r}")
                model = models.find(f"hibari-{name}")
                path = models.folder(model.name) / model.files[0].name
                voice = Hibari(voice=name, model=str(path))
                voice.g2p.oov("offhook")
                self._voices[name] = voice
        return voice

    def _synthesize(self, tickets: Sequence[Ticket[_Line, bytes]]) -> None:
        for ticket in tickets:
            text, name, format = ticket.item
            sound = self._voice(name)(text, seed=0)
            ticket.resolve(pack(shaped(np.asarray(sound, np.float32), RATE), RATE, format))


def breaths(text: str) -> list[str]:
    """Sentences, those too long for one breath (and one inference) cut at commas or spaces."""
    parts: list[str] = []
    for sentence in Hibari.split_sentences(text):
        rest = str(sentence).strip()
        while len(rest) > _BREATH:
            cut = max(rest.rfind(mark, _BREATH // 2, _BREATH) for mark in (", ", "; ", ": "))
            cut = cut if cut > 0 else rest.rfind(" ", 1, _BREATH)
            cut = cut if cut > 0 else _BREATH - 1
            parts.append(rest[: cut + 1].strip())
            rest = rest[cut + 1 :].strip()
        parts.append(rest)
    return [part for part in parts if part]


def _installed(model: models.Model) -> bool:
    return model.name.startswith("hibari-") and models.locate(model)[0] is not models.Place.MISSING
