"""Words that a fake can hear: each is a tone. A fake transcribes what it was sent, no more and no less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import AudioFormat

_TABLE = "i would like to book a table for two people at seven tonight please thank you"
ENGLISH = tuple(_TABLE.split())
_TABLE_IN_ARABIC = "مرحبا أريد حجز طاولة لشخصين شكرا"
ARABIC = tuple(_TABLE_IN_ARABIC.split())
_WORDS = (*ENGLISH, *ARABIC)
_LOWEST, _STEP = 300, 100
WORD_MS, GAP_MS = 160, 80
FRAME_MS = 20
_LEAST_FRAMES = 3
_LOUD = 500.0


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where in the stream it was heard, in milliseconds."""

    text: str
    start_ms: int
    end_ms: int

    @property
    def language(self) -> str:
        return "ar" if self.text in ARABIC else "en"


def speak(text: str, format: AudioFormat, pause_ms: int = 0) -> bytes:
    """The words as sound, then a pause."""
    sound = [np.zeros(0, np.int16)]
    time = np.arange(format.samples(WORD_MS)) / format.rate
    edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.005)
    for word in text.split():
        tone = np.sin(2 * np.pi * (_LOWEST + _STEP * _WORDS.index(word)) * time) * edge * 8_000
        sound += [tone.astype(np.int16), np.zeros(format.samples(GAP_MS), np.int16)]
    sound.append(np.zeros(format.samples(pause_ms), np.int16))
    return to_bytes(np.concatenate(sound), format.encoding)


class Ear:
    """Hears the words of one stream."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._rest = b""
        self._frames: list[str] = []
        self.size = 0

    @property
    def heard_ms(self) -> float:
        return self._format.ms(self.size)

    def hear(self, audio: bytes) -> None:
        if len(audio) % self._format.width:
            raise ValueError("half a sample")
        self.size += len(audio)
        audio = self._rest + audio
        frame = self._format.size(FRAME_MS)
        whole = len(audio) // frame * frame
        self._rest = audio[whole:]
        if whole:
            samples = to_samples(audio[:whole], self._format.encoding).astype(np.float64)
            self._frames += _labels(samples.reshape(-1, self._format.samples(FRAME_MS)), self._format.rate)

    def words(self, start_ms: float = 0, end_ms: float = float("inf")) -> list[Word]:
        """Words that lie in a part of the stream, cut ones too."""
        first = int(start_ms // FRAME_MS)
        last = min(len(self._frames), int(min(end_ms, 1e9) // FRAME_MS))
        found: list[Word] = []
        at = first
        while at < last:
            end = at
            while end < last and self._frames[end] == self._frames[at]:
                end += 1
            if self._frames[at] and end - at >= _LEAST_FRAMES:
                found.append(Word(self._frames[at], at * FRAME_MS, end * FRAME_MS))
            at = end
        return found

    def silence_ms(self) -> float:
        """How long it has been silent at the end."""
        quiet = 0
        for frame in reversed(self._frames):
            if frame:
                break
            quiet += FRAME_MS
        return quiet


def _labels(frames: npt.NDArray[np.float64], rate: int) -> list[str]:
    window = np.hanning(frames.shape[1])
    spectra = np.abs(np.fft.rfft(frames * window, n=rate // 10, axis=1))
    peaks = spectra.argmax(axis=1) * 10
    loud = np.sqrt((frames**2).mean(axis=1)) > _LOUD
    return [_word(peak) if is_loud else "" for peak, is_loud in zip(peaks, loud, strict=True)]


def _word(hertz: int) -> str:
    index = round((hertz - _LOWEST) / _STEP)
    near = abs(hertz - _LOWEST - index * _STEP) <= 40
    return _WORDS[index] if near and 0 <= index < len(_WORDS) else ""


def text_of(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def languages_of(words: Sequence[Word]) -> list[str]:
    """Languages of the words, most words first."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word.language] = counts.get(word.language, 0) + 1
    return sorted(counts, key=lambda code: -counts[code])
