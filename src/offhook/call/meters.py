"""Two level meters for callers with a screen: the loudness of both sides, a few times a second."""

from __future__ import annotations

from offhook.audio.frame import Encoding
from offhook.audio.level import SILENCE_DB, rms_db
from offhook.foundation.events import Levels

PERIOD_TICKS = 5
_UNCHANGED_DB = 1.0


class Meters:
    """Keeps the last frame of each side and reads it every PERIOD_TICKS ticks of 20 ms."""

    __slots__ = ("_agent", "_caller", "_encoding", "_shown", "_tick")

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._caller = self._agent = b""
        self._shown = (SILENCE_DB, SILENCE_DB)
        self._tick = 0

    def caller(self, audio: bytes) -> None:
        self._caller = audio

    def agent(self, audio: bytes) -> None:
        self._agent = audio

    def tick(self) -> Levels | None:
        """The levels, when it is time and one of them has moved."""
        self._tick += 1
        if self._tick % PERIOD_TICKS:
            return None
        caller = round(rms_db(self._caller, self._encoding), 1)
        agent = round(rms_db(self._agent, self._encoding), 1)
        self._caller = self._agent = b""
        if abs(caller - self._shown[0]) < _UNCHANGED_DB and abs(agent - self._shown[1]) < _UNCHANGED_DB:
            return None
        self._shown = (caller, agent)
        return Levels(caller, agent)
