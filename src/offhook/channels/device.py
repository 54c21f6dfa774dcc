"""This machine's sound card as a caller, for development. Needs the extra `sound`, imported on use only.

PortAudio's callbacks run in a thread of its own. The microphone's hands audio to the event loop; the
speaker's takes what waits in `_Speaker`, under the one lock of this module.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections import deque
from typing import Any

from offhook.audio.frame import WIDEBAND, AudioFormat
from offhook.channels.base import Arrival, CallerListener, Reception
from offhook.foundation.errors import MissingExtraError, ProviderError
from offhook.foundation.events import ChannelKind, EndReason, Entry

_FRAME = WIDEBAND.samples(20)
_MAX_WAITING = WIDEBAND.size(30_000)


class DeviceChannel:
    """The default microphone and speaker, 16 kHz. Use headphones: there is no echo canceller."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener: CallerListener | None = None
        self._speaker = _Speaker()
        self._streams: list[Any] = []
        self._heard_ms = 0

    def begin(self, reception: Reception, arrival: Arrival) -> str:
        """Open the card, then call; returns the call's id.

        Raises MissingExtraError, ProviderError (no usable device), and what Reception.arrive raises."""
        self._open()
        try:
            call_id, self._listener = reception.arrive(self, arrival)
        except BaseException:
            self._stop()
            raise
        return call_id

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.DEVICE

    @property
    def format(self) -> AudioFormat:
        return WIDEBAND

    @property
    def peer(self) -> str:
        return ""

    def play(self, audio: bytes) -> None:
        self._speaker.add(audio)

    def clear(self) -> None:
        self._speaker.clear()

    def mark(self, name: str) -> None:
        if self._speaker.mark(name):
            self._loop.call_soon(self._reached, [name])

    def tell(self, entry: Entry) -> None:
        """There is no screen."""

    def hang_up(self, reason: EndReason) -> None:
        self._loop.call_soon(self._close, reason)

    def _open(self) -> None:
        try:
            sounddevice = importlib.import_module("sounddevice")
        except (ImportError, OSError):  # OSError: the package is there, PortAudio is not
            raise MissingExtraError("device", "sound") from None
        shape = {"samplerate": WIDEBAND.rate, "blocksize": _FRAME, "channels": 1, "dtype": "int16"}
        try:
            for kind, callback in (("RawInputStream", self._on_input), ("RawOutputStream", self._on_output)):
                stream = getattr(sounddevice, kind)(callback=callback, **shape)
                self._streams.append(stream)
                stream.start()
        except (sounddevice.PortAudioError, ValueError):
            self._stop()
            raise ProviderError("device", "no usable microphone and speaker", retryable=False) from None

    # PortAudio's thread.

    def _on_input(self, data: Any, frames: int, time: Any, status: Any) -> None:
        self._post(self._hear, bytes(data))

    def _on_output(self, data: Any, frames: int, time: Any, status: Any) -> None:
        audio, marks = self._speaker.take(len(data))
        data[:] = audio
        if marks:
            self._post(self._reached, marks)

    def _post(self, call: Any, argument: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, argument)
        except RuntimeError:  # the loop is closed: nobody is there to be told
            pass

    # The event loop.

    def _hear(self, audio: bytes) -> None:
        at_ms, self._heard_ms = self._heard_ms, self._heard_ms + int(WIDEBAND.ms(len(audio)))
        if self._listener is not None:
            self._listener.on_audio(audio, at_ms)

    def _reached(self, marks: list[str]) -> None:
        for name in marks:
            if self._listener is not None:
                self._listener.on_mark(name)

    def _close(self, reason: EndReason) -> None:
        self._stop()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed(reason)

    def _stop(self) -> None:
        streams, self._streams = self._streams, []
        for stream in streams:
            stream.close()


class _Speaker:
    """What waits to be played, shared with PortAudio's thread. Holds 30 s; what is beyond is dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._taken = 0
        self._added = 0
        self._marks: deque[tuple[int, str]] = deque()

    def add(self, audio: bytes) -> None:
        with self._lock:
            if len(self._waiting) + len(audio) <= _MAX_WAITING:
                self._waiting += audio
                self._added += len(audio)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
            self._marks.clear()
            self._added = self._taken

    def mark(self, name: str) -> bool:
        """True when nothing waits before the mark: it is reached already."""
        with self._lock:
            if not self._waiting:
                return True
            self._marks.append((self._added, name))
            return False

    def take(self, size: int) -> tuple[bytes, list[str]]:
        """The next `size` bytes, filled up with silence, and the marks that they reach."""
        with self._lock:
            audio = bytes(self._waiting[:size])
            del self._waiting[:size]
            self._taken += len(audio)
            reached = []
            while self._marks and self._marks[0][0] <= self._taken:
                reached.append(self._marks.popleft()[1])
        return audio + bytes(size - len(audio)), reached
