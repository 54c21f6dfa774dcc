"""The stage between the agent's playback and the caller's channel while humans are heard, too.

Takes the agent's sound and marks as a channel does, gives the channel 20 ms frames of the mix on a timeline
of its own, at most LEAD_MS ahead of the caller's ear. Decides nothing about who is heard.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.g711 import Samples
from offhook.audio.mix import Gain, mix
from offhook.call.elastic import FRAME_MS
from offhook.call.playback import Playback
from offhook.channels.base import Channel

LEAD_MS = 40
LONGEST_LEAD_MS = 100
"""So much may be on its way when the mixing begins, and is heard to its end first."""
FADE_MS = 10
_QUIET_FRAMES = 10
"""After so many frames without any sound nothing is sent until there is some."""


class CallerMix:
    """`on` while it stands between playback and channel. `duck` is the gain that the agent heads for."""

    def __init__(self, channel: Channel, playback: Playback) -> None:
        self._channel = channel
        self._playback = playback
        self._format = channel.format
        self._frame = channel.format.size(FRAME_MS)
        self._count = channel.format.samples(FRAME_MS)
        self._silence = channel.format.silence(self._count)
        self._agent = bytearray()
        self._marks: deque[tuple[int, str]] = deque()
        self._gain = Gain(channel.format.rate)
        self._lead_ms = float(LEAD_MS)
        self._quiet = 0
        self.head_ms = 0.0
        self.on = False
        self.duck = 1.0

    def begin(self, now_ms: float) -> None:
        """Stand between from now on: what was sent is heard to its end, what follows is mixed."""
        if self.on:
            return
        self.on = True
        self._quiet = 0
        playback = self._playback
        if playback.playout_ms - now_ms > LONGEST_LEAD_MS and not playback.held:
            playback.hold(now_ms)  # a program's own playback has many seconds of it: they are sent anew
            playback.resume()
        self.head_ms = max(now_ms, playback.playout_ms)
        self._commit()
        self._playback.route(self)

    def end(self) -> None:
        """Stand aside: the agent's sound goes on directly."""
        if not self.on:
            return
        self.on = False
        self._playback.committed_ms = 0.0
        self._playback.route(self._channel)
        if self._agent:
            self._channel.play(bytes(self._agent))
        for _, name in self._marks:
            self._channel.mark(name)
        self._agent.clear()
        self._marks.clear()
        self._gain = Gain(self._format.rate)

    @property
    def settled(self) -> bool:
        """Whether standing aside would make no step in the agent's loudness."""
        return not self._agent or (self._gain.settled and self.duck == 1.0)

    def fade(self) -> None:
        """What the agent would say next is its last sound, and dies away."""
        self._agent += self._playback.coming(FADE_MS)
        self.clear()

    # As playback's channel.

    def play(self, audio: bytes) -> None:
        self._agent += audio

    def clear(self) -> None:
        """Drop what is the agent's, but for a few milliseconds in which it dies away."""
        del self._agent[self._format.size(FADE_MS) :]
        if self._agent:
            samples = to_samples(bytes(self._agent), self._format.encoding)
            ramp = np.linspace(1.0, 0.0, len(samples), dtype=np.float32)
            faded: Samples = (samples * ramp).astype(np.int16)
            self._agent[:] = to_bytes(faded, self._format.encoding)
        self._marks.clear()

    def mark(self, name: str) -> None:
        self._marks.append((len(self._agent), name))
        if not self._agent:
            self._reached(0)

    # Every 20 ms.

    def due(self, now_ms: float) -> bool:
        """Whether this step's frame is wanted: what was sent before this stage began must be heard first.
        Sends a little of silence, or of the agent, where the channel has nothing in store."""
        if self.head_ms - now_ms > LEAD_MS + FRAME_MS:
            return False
        if now_ms - self.head_ms > 500:  # the process stood still: there is nothing to catch up with
            self.head_ms = now_ms
        while self.head_ms + FRAME_MS <= now_ms + LEAD_MS - FRAME_MS:
            self.send(None)
        return True

    def send(self, others: Samples | None) -> None:
        """The next 20 ms: the agent with the others, who are at the channel's rate."""
        agent = self._next_agent()
        if agent is None and others is None:
            self._rest()
        else:
            frames = [frame for frame in (agent, others) if frame is not None]
            if self._quiet > _QUIET_FRAMES:
                self._channel.play(self._silence)  # a cushion for the way
            self._quiet = 0
            self._channel.play(to_bytes(mix(frames), self._format.encoding))
        self._reached(self._frame)
        self.head_ms += FRAME_MS
        self._commit()

    def _rest(self) -> None:
        self._quiet += 1
        if self._quiet <= _QUIET_FRAMES:
            self._channel.play(self._silence)

    def _next_agent(self) -> Samples | None:
        self._gain.set(self.duck)
        if not self._agent:
            return None
        samples = to_samples(bytes(self._agent[: self._frame]), self._format.encoding)
        del self._agent[: self._frame]
        if len(samples) < self._count:
            samples = np.pad(samples, (0, self._count - len(samples)))
        return self._gain.apply(samples)

    def _reached(self, size: int) -> None:
        """So much more of the agent's sound went to the channel: its marks follow it."""
        if not self._marks:
            return
        self._marks = deque((at - size, name) for at, name in self._marks)
        while self._marks and self._marks[0][0] <= 0:
            self._channel.mark(self._marks.popleft()[1])

    def _commit(self) -> None:
        self._playback.committed_ms = self.head_ms
