"""One caller of `webrtc_clients.py`: listens until it is quiet, asks, times the answer by sound. No sockets.

Nothing is asked on a fixed clock: a question begins a while after the last loud packet of what was heard, so
that it never falls into the greeting or a reply, and each caller takes another while.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from offhook.audio import g711
from offhook.audio.frame import PHONE
from offhook.audio.resample import resample_clip
from offhook.cli.caller.clips import read_clip
from utterances import find_speech

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"
QUIET_S = 0.8
"""So long nothing loud, and what was said is over. The scripted voice has no pause inside."""
THINK_S = (0.3, 2.3)
ANSWER_S = 8.0
"""A question without a loud packet in so long is not answered."""
GREETING_S = 10.0
GAP_S = 0.200
WHOLE = 0.97
"""Of what a lone caller hears, the least that counts as all of it."""
NOISE_FRAMES = 101


class Phase(Enum):
    """Where a caller is."""

    RINGING = "ringing"
    LISTENING = "listening"
    """To the greeting, or to a reply."""
    THINKING = "thinking"
    ASKING = "asking"
    WAITING = "waiting"
    DONE = "done"


@dataclass(slots=True)
class Voice:
    """What callers send, frame by frame: questions, and the noise of a room between them."""

    questions: list[list[bytes]]
    noise: list[bytes]

    @classmethod
    def read(cls, rate: int, encode: Callable[[np.ndarray], list[bytes]]) -> Voice:
        """Speech of people, at `rate`, as frames of 20 ms by `encode`. Each is trimmed: a question ends with
        its last frame."""
        chance = np.random.default_rng(1)
        noise = chance.integers(-16, 17, NOISE_FRAMES * rate // 50).astype(np.int16)
        return cls([encode(_clip(path, rate)) for path in find_speech(None, CACHE)], encode(noise))


def _clip(path: Path, rate: int) -> np.ndarray:
    clip = read_clip(path)
    raw = clip.audio if path.suffix == ".ulaw" else clip.audio[clip.onset : clip.offset]
    return resample_clip(g711.decode_ulaw(raw), PHONE.rate, rate)


@dataclass(slots=True)
class Heard:
    """What was heard in one go: the greeting, or a reply."""

    began: float
    last: float
    seconds: float = 0.0
    gap: float = 0.0
    """The longest time between two loud packets of it."""


@dataclass(slots=True)
class Caller:
    """`send` is given each frame. Times are the monotonic clock's, in seconds; `until` is when to hang up,
    once what is being said is over."""

    number: int
    voice: Voice
    until: float
    send: Callable[[bytes], None] = lambda frame: None
    hang_up: Callable[[], None] = lambda: None
    phase: Phase = Phase.RINGING
    began: float = 0.0
    up_at: float = 0.0
    heard: list[Heard] = field(default_factory=list)
    responses: list[float] = field(default_factory=list)
    asked: int = 0
    early: int = 0
    unanswered: int = 0
    transcribed: int = 0
    ended: str = ""
    error: str = ""
    _chance: random.Random = field(default_factory=random.Random)
    _at: float = 0.0
    _frame: int = 0
    _noise: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.number)
        self._noise = self.number

    # What comes.

    def up(self, now: float) -> None:
        """The call has begun."""
        self.up_at, self.phase, self._at = now, Phase.LISTENING, now + GREETING_S

    def loud(self, seconds: float, now: float) -> None:
        """So much that is not silence came."""
        if self.phase in (Phase.ASKING, Phase.THINKING, Phase.WAITING) or not self.heard:
            self._begin(now)
        told = self.heard[-1]
        told.gap = max(told.gap, now - told.last)
        told.last = now
        told.seconds += seconds
        self._at = now + QUIET_S

    def _begin(self, now: float) -> None:
        self.heard.append(Heard(now, now))
        if self.phase is Phase.WAITING:
            self.responses.append(now - self._at + ANSWER_S)
        elif self.phase in (Phase.ASKING, Phase.THINKING):
            self.early += 1
        self.phase = Phase.LISTENING

    # What goes, and when.

    def tick(self, now: float) -> None:
        """Every 20 ms: the next frame leaves."""
        if self.phase is Phase.ASKING:
            question = self.voice.questions[self.asked % len(self.voice.questions)]
            self.send(question[self._frame])
            self._frame += 1
            if self._frame == len(question):
                self.asked += 1
                self.phase, self._at = Phase.WAITING, now + ANSWER_S
            return
        self._noise += 1
        self.send(self.voice.noise[self._noise % len(self.voice.noise)])
        if now >= self._at:
            self._next(now)

    def _next(self, now: float) -> None:
        """It has been quiet for long enough, or too long."""
        if self.phase is Phase.WAITING:
            self.unanswered += 1
        elif self.phase is Phase.THINKING and now < self.until:
            self.phase, self._frame = Phase.ASKING, 0
            return
        elif self.phase not in (Phase.LISTENING, Phase.THINKING):
            return
        if now >= self.until:
            self.phase = Phase.DONE
            self.hang_up()
        else:
            self.phase, self._at = Phase.THINKING, now + self._chance.uniform(*THINK_S)

    # What became of it.

    def failures(self, greeting_s: float, reply_s: float) -> list[str]:
        """Each kind of what went wrong, once; `greeting_s` and `reply_s` are what a lone caller hears."""
        whole = [each.seconds for each in self.heard]
        found = {
            "error: " + self.error: bool(self.error),
            "never came up": not self.up_at,
            "greeting not whole": bool(self.up_at) and (not whole or whole[0] < WHOLE * greeting_s),
            "never asked": bool(self.up_at) and not self.asked,
            "question not answered": self.unanswered > 0,
            "answered before the question's end": self.early > 0,
            "reply not whole": any(seconds < WHOLE * reply_s for seconds in whole[1:]),
            "gap in speech": any(each.gap > GAP_S for each in self.heard),
            "question not transcribed": self.transcribed < self.asked,
            "not ended as asked": bool(self.up_at) and self.ended != "caller_hung_up",
        }
        return [name for name, is_so in found.items() if is_so]

    def result(self, greeting_s: float, reply_s: float) -> dict[str, Any]:
        """All of it, for the process that adds up."""
        return {
            "failures": self.failures(greeting_s, reply_s),
            "up_ms": (self.up_at - self.began) * 1000 if self.up_at else None,
            "heard_s": [round(each.seconds, 2) for each in self.heard],
            "gap_ms": [round(each.gap * 1000, 1) for each in self.heard],
            "responses_ms": [round(each * 1000, 1) for each in self.responses],
            "asked": self.asked,
            "ended": self.ended,
        }
