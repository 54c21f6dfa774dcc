"""Text to speech by eSpeak NG, a robot's voice in many languages, Arabic among them (extra `espeak`, GPL-3).

The library keeps one state for the whole process: one thread speaks, sentence by sentence.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import MissingExtraError, ProviderError, UnfitError
from offhook.speech.clip import Sound, pack
from offhook.speech.language import base
from offhook.speech.loudness import shaped
from offhook.speech.pool import Ticket, Workers
from offhook.speech.tts.normalize import spoken

DEADLINE = 10.0
_MOST_TEXT = 2_000
_BETWEEN_MS = 140
_WORDS_PER_MINUTE = {"ar": 150}
_USUAL_PER_MINUTE = 160
_SENTENCE = re.compile(r"[^.!?؟؛…]+[.!?؟؛…]*")
_SYNCHRONOUS, _DONT_EXIT, _UTF8, _RATE = 2, 0x8000, 1, 1
_MARKS = re.compile("[\u064b-\u0652]")

_Line = tuple[str, str, AudioFormat]
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("unused", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class _Library:
    """The shared library, once per process: loading it twice would be loading the same state."""

    _made: _Library | None = None
    _making = threading.Lock()

    @classmethod
    def get(cls) -> _Library:
        with cls._making:
            if cls._made is None:
                cls._made = cls()
            return cls._made

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError:
            raise MissingExtraError("espeak", "espeak") from None
        self._pieces: list[Sound] = []
        self._speaking = threading.Lock()
        self._voice = ""
        try:
            self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
            data = str(Path(espeakng_loader.get_data_path())).encode()
            self.rate = int(self._lib.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT))
        except OSError:
            raise ProviderError("espeak", "its library cannot be loaded", retryable=False) from None
        if self.rate <= 0:
            raise ProviderError("espeak", "its library does not start", retryable=False)
        self._callback = _Callback(self._take)
        self._lib.espeak_SetSynthCallback(self._callback)
        self.voices = tuple(self._list())

    def speak(self, text: str, voice: str) -> Sound:
        """Float32 at `rate`. Raises ProviderError."""
        data = text.encode("utf-8") + b"\0"
        with self._speaking:
            if voice != self._voice:
                if self._lib.espeak_SetVoiceByName(voice.encode("utf-8")) != 0:
                    raise ProviderError("espeak", f"has no voice {voice!r}", retryable=False)
                self._voice = voice
            speed = _WORDS_PER_MINUTE.get(base(voice), _USUAL_PER_MINUTE)
            self._lib.espeak_SetParameter(_RATE, speed, 0)
            self._pieces.clear()
            if self._lib.espeak_Synth(data, len(data), 0, 1, 0, _UTF8, None, None) != 0:
                raise ProviderError("espeak", "did not speak")
            sound = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.float32)
            self._pieces.clear()
        return sound

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            piece = np.ctypeslib.as_array(samples, (count,)).astype(np.float32)
            self._pieces.append(piece * np.float32(1 / 32768))
        return 0

    def _list(self) -> list[str]:
        """The languages that it has a voice for, English and Arabic first; a name is a language's code."""
        self._lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        found, place = self._lib.espeak_ListVoices(None), 0
        names: list[str] = []
        while found[place]:
            names.append(found[place].contents.languages[1:].split(b"\0")[0].decode("utf-8", "replace"))
            place += 1
        usual = ("en-us", "ar")
        return [*(name for name in usual if name in names), *sorted(set(names) - set(usual))]


class EspeakTts:
    """The provider. A voice is a language's code; the language to speak decides where no voice is given."""

    name = "espeak"

    def __init__(self) -> None:
        """Raises MissingExtraError, ProviderError."""
        self._library = _Library.get()
        self._marks: Any = None
        self.workers: Workers[_Line, bytes] = Workers(self.name, self._synthesize)

    @property
    def languages(self) -> Sequence[str]:
        return tuple(dict.fromkeys(base(voice) for voice in self._library.voices))

    @property
    def rate(self) -> int:
        """Hz of its own sound."""
        return self._library.rate

    def voices(self) -> Sequence[str]:
        return self._library.voices

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        """Raises ProviderError for a language that it does not have."""
        voice = voice or self._voice(language)
        words = spoken(text, base(language or voice))[:_MOST_TEXT]
        sentences = [part.strip() for part in _SENTENCE.findall(words) if part.strip()]
        for number, sentence in enumerate(sentences):
            audio = await self.workers.run((sentence, voice, format), DEADLINE)
            if audio:
                yield audio
                if number < len(sentences) - 1:
                    yield format.silence(format.samples(_BETWEEN_MS))

    async def close(self) -> None:
        await self.workers.close()

    def _voice(self, language: str) -> str:
        wanted = (language or "en").lower()
        for voice in self._library.voices:
            if voice.lower() == wanted:
                return voice
        for voice in self._library.voices:
            if base(voice) == base(wanted):
                return voice
        raise UnfitError(self.name, f"does not speak {language!r}")

    def _synthesize(self, tickets: Sequence[Ticket[_Line, bytes]]) -> None:
        for ticket in tickets:
            text, voice, format = ticket.item
            sound = self._library.speak(self._with_marks(text) if base(voice) == "ar" else text, voice)
            ticket.resolve(pack(shaped(sound, self._library.rate), self._library.rate, format))

    def _with_marks(self, text: str) -> str:
        """Arabic with its vowels, which are not written and which the voice cannot guess."""
        if _MARKS.search(text):
            return text
        if self._marks is None:
            try:
                from text2tashkeel import Diacritizer
            except ImportError:
                raise MissingExtraError(self.name, "espeak") from None
            self._marks = Diacritizer()
        return str(self._marks.diacritize(text))
