"""Has a voice say a text once, and measures it: as a browser hears it, or as a phone does. Serves none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import PHONE, AudioFormat, Encoding
from offhook.audio.g711 import Samples
from offhook.audio.tempo import Tempo
from offhook.audio.wav import write_wav
from offhook.desk.voices import VoiceBook
from offhook.foundation.errors import ProviderError, UnfitError, WireError
from offhook.speech.base import Tts
from offhook.speech.fallback import timed

MAX_CHARS = 1_000
FIRST_S, NEXT_S, TOTAL_S = 10.0, 10.0, 60.0
MAX_SECONDS = 180
USUAL_RATE = 24_000
"""Hz that is asked of vendors: speech has nothing above 12 kHz."""


class HeardBy(StrEnum):
    """Who listens."""

    BROWSER = "browser"
    """In the provider's own rate."""
    PHONE = "phone"
    """8 kHz, coded as µ-law and decoded again."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What to say. An empty provider is the house's voice, an empty voice the provider's usual one."""

    text: str
    voice: str = ""
    provider: str = ""
    language: str = "en"
    speed: float = 1.0
    heard_by: HeardBy = HeardBy.BROWSER


@dataclass(frozen=True, slots=True)
class Measured:
    """Mono sound at `rate` Hz. Times are ms from the wish; `wire_bytes` is what a call's wire would carry."""

    samples: Samples
    rate: int
    provider: str
    first_ms: float
    total_ms: float
    wire_bytes: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def real_time_factor(self) -> float:
        """Time that it took over time that it lasts: under 1 a call never waits for it."""
        return self.total_ms / 1000 / self.seconds

    def wav(self) -> bytes:
        """A whole PCM16 file."""
        return write_wav(self.samples, self.rate)


async def speak(book: VoiceBook, trial: Trial, now: Callable[[], float]) -> Measured:
    """The sound and what it took; `now` in seconds. Raises WireError, NotFoundError, ProviderError."""
    text = " ".join(trial.text.split())
    if not any(letter.isalnum() for letter in text):
        raise WireError("there is nothing to say")
    if len(text) > MAX_CHARS:
        raise WireError(f"a text has at most {MAX_CHARS} characters")
    tts = await book.tts(trial.provider)
    if trial.voice and trial.voice not in tts.voices() and not book.knows(trial.provider, trial.voice):
        raise WireError(f"there is no voice {trial.voice[:64]!r} of {trial.provider or 'the house'}")
    if (forget := getattr(tts, "forget", None)) is not None:
        forget(text, trial.language)
    try:
        async with asyncio.timeout(TOTAL_S):
            return await _measured(tts, trial, text, now)
    except TimeoutError:
        raise ProviderError(tts.name, "took over a minute") from None
    except UnfitError as error:
        raise WireError(error.reason) from None


async def _measured(tts: Tts, trial: Trial, text: str, now: Callable[[], float]) -> Measured:
    format = _format(tts, trial)
    tempo = Tempo(format.rate, trial.speed)
    pieces: list[Samples] = []
    began, first, count = now(), 0.0, 0
    async for piece in timed(tts.speak(text, trial.voice, trial.language, format), tts.name, FIRST_S, NEXT_S):
        samples = await asyncio.to_thread(tempo.feed, to_samples(piece, format.encoding))
        first = first or (now() - began if len(samples) else 0.0)
        pieces.append(samples)
        count += len(samples)
        if count > MAX_SECONDS * format.rate:
            raise ProviderError(tts.name, "sent more sound than its words can take")
    pieces.append(await asyncio.to_thread(tempo.finish))
    total = now() - began
    sound = np.concatenate(pieces)
    if not len(sound):
        raise ProviderError(tts.name, "sent no sound")
    wire = len(sound) * 2
    if trial.heard_by is HeardBy.PHONE:
        coded = to_bytes(sound, PHONE.encoding)
        sound, wire = to_samples(coded, PHONE.encoding), len(coded)
    return Measured(sound, format.rate, tts.name, (first or total) * 1000, total * 1000, wire)


def _format(tts: Tts, trial: Trial) -> AudioFormat:
    """What the provider is asked for: of a phone's voice exactly what a call asks for."""
    if trial.heard_by is HeardBy.PHONE:
        return PHONE if trial.speed == 1.0 else AudioFormat(Encoding.PCM16, PHONE.rate)
    rate = getattr(tts, "rate", USUAL_RATE)
    return AudioFormat(Encoding.PCM16, rate if isinstance(rate, int) else USUAL_RATE)
