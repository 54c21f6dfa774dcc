"""`offhook` with a stand-in for a recognizer of Arabic, which no package carries. All else is the real house.

The stand-in tells the true words of what has been played so far, from the file that LINE_FILE names, after
the time that the real local recognizer (Moonshine) takes for as much English speech, which it is given in
place of the Arabic (SPEECH_FILE: µ-law, 8 kHz).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from offhook.audio.frame import PHONE, AudioFormat
from offhook.cli.main import main
from offhook.providers import vendors
from offhook.settings import Settings
from offhook.speech.base import Recognizer, Stt, Transcript
from offhook.speech.stt.moonshine import MoonshineStt

LINE_FILE, SPEECH_FILE = "BENCH_LINE", "BENCH_SPEECH"
_PRE_ROLL_S = 0.5


class TrueWords:
    """The provider."""

    name = "true-words"

    def __init__(self) -> None:
        self._real = MoonshineStt()
        self._speech = Path(os.environ[SPEECH_FILE]).read_bytes()

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> Recognizer:
        real = self._real.open(format, "en", (lambda text: None) if on_partial else None)
        return Ear(real, self._speech if format == PHONE else b"")

    async def close(self) -> None:
        await self._real.close()


class Ear:
    """One leg's."""

    def __init__(self, real: Recognizer, speech: bytes) -> None:
        self._real = real
        self._speech = speech
        self._began = 0.0
        self._at = 0

    def begin(self) -> None:
        self._began = time.monotonic() - _PRE_ROLL_S
        self._at = 0
        self._real.begin()

    def push(self, audio: bytes) -> None:
        begin, self._at = self._at, self._at + len(audio)
        self._real.push(self._speech[begin : self._at] or audio)

    async def finish(self) -> Transcript:
        now = time.monotonic()
        await self._real.finish()
        return Transcript(self._words(now), "ar")

    def _words(self, now: float) -> str:
        """The words of the line, by the share of it that was played since `begin`."""
        path = Path(os.environ[LINE_FILE])
        if not path.exists():
            return ""
        line = json.loads(path.read_text("utf-8"))
        words = str(line["text"]).split()
        first, last = (
            round(len(words) * min(1.0, max(0.0, (at - line["began"]) / line["seconds"])))
            for at in (self._began, now)
        )
        return " ".join(words[first:last])

    def drop(self) -> None:
        self._real.drop()

    async def close(self) -> None:
        await self._real.close()


def _stt(name: str, settings: Settings, alone: bool) -> Stt:
    return TrueWords()


if __name__ == "__main__":
    vendors.stt = _stt
    main()
