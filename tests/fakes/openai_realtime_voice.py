"""What the fake Realtime server says: words and sound, cut into deltas. No sockets."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.fakes.voice import encoded, seconds_for

from offhook.audio.frame import Encoding

Format = tuple[Encoding, int, str]
FORMATS: dict[str, Format] = {
    "audio/pcmu": (Encoding.ULAW, 8_000, "ulaw_8000"),
    "audio/pcma": (Encoding.ALAW, 8_000, "alaw_8000"),
    "audio/pcm": (Encoding.PCM16, 24_000, "pcm_24000"),
}


@dataclass
class Item:
    """One utterance as it was generated."""

    text: str
    audio: bytearray = field(default_factory=bytearray)
    truncated_ms: int | None = None
    whole: bool = False
    deltas: int = 0


def spoken_as(text: str, format: Format) -> bytes:
    """The whole sound of a text."""
    return encoded(format[2], seconds_for(text))


def pieces(text: str, format: Format, delta_ms: int, odd: random.Random | None) -> list[tuple[str, bytes]]:
    """Words and sound, side by side: the words come a little before their sound, as with the vendor. With
    `odd`, pieces of odd sizes, so that samples are split."""
    audio = spoken_as(text, format)
    size = format[1] * delta_ms // 1000 * (2 if format[0] is Encoding.PCM16 else 1)
    parts = []
    at = 0
    while at < len(audio):
        step = odd.randrange(1, 2 * size, 2) if odd is not None else size
        parts.append(audio[at : at + step])
        at += step
    words = text.split()
    step = max(1, len(parts) // max(1, len(words)))
    told = [""] * len(parts)
    for index, word in enumerate(words):
        told[min(index * step, len(parts) - 1)] += word if index == len(words) - 1 else f"{word} "
    return list(zip(told, parts, strict=True))
