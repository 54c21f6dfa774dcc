"""What a load run is made of: numbers of a plan, and the sound that callers make. Sends nothing."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from offhook.audio.frame import PHONE
from offhook.cli.caller.clips import read_clip

FRAME_S = 0.02
FRAME = PHONE.size(20)
_FAINT = bytes((0xFF, 0x7F, 0xFE, 0x7E, 0xFD, 0x7D))
"""µ-law of samples within ±16: the noise of a line, at about -70 dBFS."""
_NOISE_FRAMES = 97


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. Times in seconds; `interrupt_every` 0 means never."""

    url: str
    calls: int = 1
    seconds: float = 60.0
    label: str = ""
    silence: float = 4.0
    speak: bool = True
    interrupt_every: int = 4
    interrupt_after: float = 0.5
    answer_timeout: float = 3.5
    underrun: float = 0.040
    ramp: float = 10.0
    lead_in: float = 1.0
    warm: float = 8.0
    drain: float = 4.0
    connect_timeout: float = 10.0
    seed: int = 1
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Voices:
    """What callers say and what their lines sound like in between: lists of frames, in base64."""

    clips: list[list[bytes]]
    noise: list[bytes]

    @property
    def mean_frames(self) -> int:
        return sum(map(len, self.clips)) // len(self.clips)


def read_voices(paths: Iterable[Path], seed: int) -> Voices:
    """Files of speech (raw µ-law, or anything decodable). Each is cut to its audible part, so that the end of
    speech is the end of its last frame. Raises ClipError."""
    clips = []
    for path in paths:
        clip = read_clip(path)
        raw = path.suffix == ".ulaw"  # trimmed by whoever made it
        clips.append(frames(clip.audio if raw else clip.audio[clip.onset : clip.offset]))
    chance = random.Random(seed)
    noise = [base64.b64encode(bytes(chance.choices(_FAINT, k=FRAME))) for _ in range(_NOISE_FRAMES)]
    return Voices(clips, noise)


def frames(audio: bytes) -> list[bytes]:
    """20 ms each; the last is filled up with silence."""
    audio += PHONE.silence(-len(audio) % FRAME)
    return [base64.b64encode(audio[at : at + FRAME]) for at in range(0, len(audio), FRAME)]
