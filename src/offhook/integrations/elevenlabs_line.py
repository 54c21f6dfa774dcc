"""One caller's leg for a program that holds the conversation itself: pace to it, sound from it. No threads.

Everything here runs on the door's event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

from offhook.audio.convert import Converter
from offhook.audio.frame import AudioFormat
from offhook.channels.base import Arrival, Channel
from offhook.foundation.events import EndReason, Entry, LegKind, TranscriptFinal

LEAD_S = 0.2
"""Sound goes to the caller no more than so much ahead of the ear: little has to be taken back."""
PIECE_MS = 100
PUMP_S = 0.05
LONGEST_MS = 180_000
"""More than so much waiting to be heard is given up."""
ABSENT_S = 0.3
"""A caller of whom nothing came for so long (muted, away) is silent: the agent has to hear that, too."""
FAREWELL_S = 1.0
"""So long a caller may take to say that all was heard, before the line is let go."""
_LAST = "last"

_log = structlog.get_logger(__name__)


class Ears(Protocol):
    """Who hears a caller. Immediate; called on the door's event loop."""

    def heard(self, sound: bytes) -> None:
        """The caller's sound, silence too, in the agent's format."""

    def typed(self, text: str) -> None:
        """A line that the caller typed, or a key that was pressed."""

    def gone(self) -> None:
        """The caller is gone for good. Told once; nothing follows."""


class Line:
    """Implements CallerListener for the channel. `format` is what the agent speaks and hears."""

    def __init__(
        self,
        call_id: str,
        channel: Channel,
        arrival: Arrival,
        format: AudioFormat,
        on_over: Callable[[Line], None],
    ) -> None:
        self.id = call_id
        self.arrival = arrival
        self.over = False
        self._channel = channel
        self._format = format
        self._on_over = on_over
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._into = Converter(channel.format, format)
        self._out = Converter(format, channel.format)
        self._ears: Ears | None = None
        self._fed_until = 0.0
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._piece = channel.format.size(PIECE_MS)
        self._ahead_until = 0.0
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._away = self._finishing = self._full = False
        self._entries = 0

    # From the agent.

    def listen(self, ears: Ears) -> None:
        """From now on these ears hear the caller."""
        self._ears = ears
        if self.over:
            ears.gone()
            return
        self._fed_until = self._loop.time()
        self._again("absent", PIECE_MS / 1000, self._absent)

    def play(self, sound: bytes) -> None:
        """More of the agent's speech, in the agent's format; however fast it comes."""
        if not self.over and not self._finishing:
            self._add(self._out.process(sound))

    def clear(self) -> None:
        """The agent was interrupted: what the caller has not heard is dropped."""
        if self.over:
            return
        self._queue.clear()
        self._queued = 0
        self._ahead_until = 0.0
        self._out.reset()
        self._channel.clear()

    def finish(self) -> None:
        """The agent is done: the caller hears the rest, then the line is let go."""
        if self.over or self._finishing:
            return
        self._add(self._out.flush())
        self._finishing = True
        if not self._queue:
            self._farewell()

    def hang_up(self, reason: EndReason = EndReason.AGENT_HUNG_UP) -> None:
        """Let the line go, now."""
        if not self.over:
            self._channel.hang_up(reason)

    def show(self, leg: LegKind, text: str) -> None:
        """Write words on the caller's screen, where there is one."""
        if self.over or not text:
            return
        self._entries += 1
        now_ms = int((self._loop.time() - self._began) * 1000)
        words = TranscriptFinal(leg, self._entries, text, now_ms, now_ms)
        self._channel.tell(Entry(self.id, self._entries, now_ms, words))

    # From the caller.

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        if self._ears is not None:
            self._fed_until = self._loop.time()
            if sound := self._into.process(audio):
                self._ears.heard(sound)

    def on_mark(self, name: str) -> None:
        if name == _LAST:
            self.hang_up()

    def on_digit(self, digit: str) -> None:
        self.on_text(digit)

    def on_text(self, text: str) -> None:
        if self._ears is not None:
            self._ears.typed(text)

    def on_lost(self) -> None:
        self._away = True

    def on_resumed(self) -> None:
        self._away = False
        self._ahead_until = 0.0
        self._pump()

    def on_closed(self, reason: EndReason) -> None:
        if self.over:
            return
        self.over = True
        for timer in self._timers.values():
            timer.cancel()
        self._queue.clear()
        self._on_over(self)
        if self._ears is not None:
            self._ears.gone()

    # Within.

    def _add(self, sound: bytes) -> None:
        if not sound:
            return
        if self._channel.format.ms(self._queued) > LONGEST_MS:
            if not self._full:
                _log.warning("an agent talks on and on: the rest is not played", call_id=self.id)
            self._full = True
            return
        self._full = False
        self._queue.append(sound)
        self._queued += len(sound)
        if len(self._queue) == 1:
            self._pump()

    def _pump(self) -> None:
        """Send what is due."""
        now = self._loop.time()
        format = self._channel.format
        while self._queue and not self._away and self._ahead_until - now < LEAD_S:
            sound = self._queue.popleft()
            piece, rest = sound[: self._piece], sound[self._piece :]
            if rest:
                self._queue.appendleft(rest)
            self._queued -= len(piece)
            self._ahead_until = max(self._ahead_until, now) + format.ms(len(piece)) / 1000
            self._channel.play(piece)
        if self._queue and not self.over:
            self._again("pump", PUMP_S, self._pump)
        elif self._finishing:
            self._farewell()

    def _farewell(self) -> None:
        if self.over:
            return
        self._channel.mark(_LAST)
        wait_s = max(0.0, self._ahead_until - self._loop.time()) + FAREWELL_S
        self._again("farewell", wait_s, self.hang_up)

    def _absent(self) -> None:
        now = self._loop.time()
        if self._ears is not None and now - self._fed_until >= ABSENT_S:
            missing = self._format.samples((now - self._fed_until) * 1000)
            self._fed_until = now
            self._ears.heard(self._format.silence(missing))
        self._again("absent", PIECE_MS / 1000, self._absent)

    def _again(self, name: str, seconds: float, what: Callable[[], None]) -> None:
        if (timer := self._timers.get(name)) is not None:
            timer.cancel()
        self._timers[name] = self._loop.call_later(seconds, what)
