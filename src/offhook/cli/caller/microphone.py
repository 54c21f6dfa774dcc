"""The caller's voice and ear on this machine's sound card, for `--mic`. Needs the extra `sound`."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from offhook.audio import g711
from offhook.audio.frame import PHONE
from offhook.cli.caller.line import FRAME, CallError, Line
from offhook.cli.caller.script import Manner
from offhook.foundation.errors import MissingExtraError

_MOST_WAITING = 10


async def speak(line: Line, manner: Manner) -> None:
    """Until the server ends the call, the time is up or Ctrl-C. Raises MissingExtraError, CallError."""
    try:
        import sounddevice
    except ImportError as error:
        raise MissingExtraError("--mic", "sound") from error
    except OSError as error:
        raise CallError("--mic needs the PortAudio library: apt install libportaudio2") from error
    loop = asyncio.get_running_loop()
    ear = _Ear(line)

    def exchange(heard: Any, played: Any, frames: int, times: Any, status: Any) -> None:
        """On the sound card's thread: samples [frames, 1] int16 in and out."""
        loop.call_soon_threadsafe(_say, line, g711.encode_ulaw(heard[:, 0].copy()).tobytes())
        played[:, 0] = g711.decode_ulaw(ear.take(frames))

    try:
        stream = sounddevice.Stream(
            samplerate=PHONE.rate, channels=1, dtype="int16", blocksize=FRAME, callback=exchange
        )
    except sounddevice.PortAudioError as error:
        raise CallError(f"no usable sound card: {error}") from error
    with stream:
        try:
            async with asyncio.timeout(manner.hang_up_after):
                while not line.closed.is_set():
                    ear.fill()
                    await asyncio.sleep(0.01)
        except TimeoutError:
            return


def _say(line: Line, audio: bytes) -> None:
    line.say_live(audio, _MOST_WAITING)


class _Ear:
    """What the caller hears, handed to the sound card's thread a little ahead of time."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ready: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._at = 0

    def fill(self) -> None:
        """On the event loop: frames up to now."""
        while self._at + FRAME <= self._line.now:
            self._ready.append(self._line.playout.heard_between(self._at, self._at + FRAME))
            self._at += FRAME

    def take(self, frames: int) -> bytes:
        """On the sound card's thread: the next frame, or silence."""
        try:
            frame = self._ready.popleft()
        except IndexError:
            frame = b""
        return (frame + PHONE.silence(frames))[:frames]
