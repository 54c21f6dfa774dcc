"""Audio interfaces for the official `elevenlabs` SDK's `Conversation`: a caller, or silence. No sockets.

Contract of the SDK (2.x): 16-bit PCM, mono, 16 kHz both ways; `start` once, `stop` once, no input after it;
`output` must not block. The SDK is not imported: it takes any object with these methods.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import structlog

from offhook.audio.frame import WIDEBAND, AudioFormat
from offhook.channels.base import Arrival
from offhook.foundation.events import LegKind
from offhook.integrations.elevenlabs_line import Line

if TYPE_CHECKING:
    from elevenlabs.conversational_ai.conversation import AudioInterface
else:
    AudioInterface = object

CHUNK_MS = 60
"""Sound reaches the SDK in pieces of at least this; it suggests 250 and takes any."""
MAX_PIECES = 250
"""Pieces that wait while the SDK does not take them (5 s from a phone); the oldest go first."""
SILENCE_MS = 250
JOIN_S = 2.0

Post = Callable[..., None]
"""Has a function called on the door's event loop, soon; from any thread."""
Input = Callable[[bytes], None]

_log = structlog.get_logger(__name__)


class CallerHungUp:
    """What the SDK is given in place of sound when the caller is gone and nobody asked to be told: it cannot
    send it, and ends its session over it."""


class CallerAudioInterface(AudioInterface):
    """One caller, by browser or phone. `arrival` says who calls, where that is known."""

    def __init__(self, line: Line, post: Post, format: AudioFormat) -> None:
        self._line = line
        self._post = post
        self._chunk = format.size(CHUNK_MS)
        self._ears = _Ears()
        self._callback: Input | None = None
        post(line.listen, self._ears)
        self._thread: threading.Thread | None = None
        self._stopped = False

    # What the SDK calls.

    def start(self, input_callback: Input) -> None:
        self._callback = input_callback
        self._ears.open = True
        self._thread = threading.Thread(target=self._run, name="offhook-caller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Nothing more is heard; the caller hears the rest of what was said, then the line is let go."""
        self._stopped = True
        self._ears.end()
        self._post(self._line.finish)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)

    def output(self, audio: bytes) -> None:
        self._post(self._line.play, audio)

    def interrupt(self) -> None:
        self._post(self._line.clear)

    # What a program may want besides.

    @property
    def arrival(self) -> Arrival:
        """The caller's number and what else came with the call."""
        return self._line.arrival

    def when_hung_up(self, do: Callable[[], object]) -> None:
        """Call `do` when the caller is gone: `conversation.end_session`. Without it the SDK's session ends
        by an error that says so."""
        self._ears.when_gone = do

    def when_typed(self, do: Callable[[str], object]) -> None:
        """Call `do` with lines that the caller types and keys that are pressed:
        `conversation.send_user_message`."""
        self._ears.when_typed = do

    def agent_said(self, text: str) -> None:
        """Show the agent's words on the caller's page: `callback_agent_response`."""
        self._post(self._line.show, LegKind.AGENT, text)

    def caller_said(self, text: str) -> None:
        """Show the caller's own words: `callback_user_transcript`."""
        self._post(self._line.show, LegKind.CALLER, text)

    def hang_up(self) -> None:
        """Let the caller go, now."""
        self._post(self._line.hang_up)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the caller is gone; False when `timeout` seconds were not enough."""
        return self._ears.is_gone.wait(timeout)

    # The thread between the caller and the SDK, which may block on its socket.

    def _run(self) -> None:
        sound = bytearray()
        while (item := self._ears.queue.get()) is not None:
            if self._stopped:
                return
            if isinstance(item, str):
                self._call(self._ears.when_typed, item)
                continue
            sound += item
            if len(sound) >= self._chunk:
                self._call(self._callback, bytes(sound))
                sound.clear()
        if self._stopped:
            return
        if self._ears.when_gone is not None:
            self._call(self._ears.when_gone)
        else:
            self._call(self._callback, CallerHungUp())

    def _call(self, do: Callable[..., object] | None, *what: object) -> None:
        """A program's own function may raise; the line lives on."""
        try:
            if do is not None:
                do(*what)
        except Exception:
            _log.exception("a program failed on what a caller did", call_id=self._line.id)


class _Ears:
    """Hears a line, from `open` on, and keeps it for the thread; of one that is stuck the newest."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[bytes | str | None] = SimpleQueue()
        self.open = False
        self.is_gone = threading.Event()
        self.when_gone: Callable[[], object] | None = None
        self.when_typed: Callable[[str], object] | None = None

    def heard(self, sound: bytes) -> None:
        if not self.open:
            return
        if self.queue.qsize() >= MAX_PIECES:
            with suppress(Empty):
                self.queue.get_nowait()
        self.queue.put(sound)

    def typed(self, text: str) -> None:
        self.queue.put(text)

    def gone(self) -> None:
        self.is_gone.set()
        self.queue.put(None)

    def end(self) -> None:
        self.queue.put(None)


class SilentAudioInterface(AudioInterface):
    """Nobody is there: the agent hears silence in real time, what it says goes nowhere. For machines without
    sound, and programs that only read and write. `format` names the agent's input format."""

    def __init__(self, format: AudioFormat = WIDEBAND) -> None:
        self._silence = format.silence(format.samples(SILENCE_MS))
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, input_callback: Input) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(input_callback,), name="offhook-silence", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)

    def output(self, audio: bytes) -> None:
        """Nobody hears it."""

    def interrupt(self) -> None:
        """There is nothing to take back."""

    def _run(self, input_callback: Input) -> None:
        while not self._ended.wait(SILENCE_MS / 1000):
            input_callback(self._silence)
