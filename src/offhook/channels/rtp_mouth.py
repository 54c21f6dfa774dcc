"""What a caller hears by RTP: paced, encoded, silence between; marks by what was played out. No sockets."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from offhook.audio.frame import WIDEBAND
from offhook.channels.rtp_codec import encoder
from offhook.protocols.rtp import RtpPacket, write_rtp

FRAME_S = 0.020
EARLY_S = 0.020
"""Sound may leave so much before its time, so that it does not wait for the silence before it to end."""
PLAYOUT_S = 0.060
"""What a browser's jitter buffer holds, and its way to the ear, besides the network's."""
GRACE_S = 0.060
"""Sound that came unevenly may be so late before silence takes its place: the caller's jitter buffer can
wait. Not after a mark or a clear: then what was said is over."""
BEHIND_S = 0.200
MOST_FRAMES = 100
"""Frames that may wait; of more the oldest are dropped."""
MOST_STANDING = 2
WATCHED_PUMPS = 100
"""More frames that have waited all of the time, for so many pumps, leave at once: the caller's jitter buffer
can play faster, we cannot."""
FADE_FRAMES = 20
"""Frames of silence that are encoded after sound."""
REST_FRAMES = 20
"""Then a packet without sound leaves at times: Opus's discontinuous transmission, as a browser does it."""
_FRAME = WIDEBAND.size(20)
_SILENCE = bytes(_FRAME)
_UNITS = 960


class _Mark(NamedTuple):
    name: str


class RtpMouth:
    """`send(packet, timestamp)` is given each packet; `on_mark` is told when what was before a mark has been
    heard. Give `pump` the loop's time every 10 ms or so: it is the only clock here."""

    def __init__(self, payload_type: int, ssrc: int, on_mark: Callable[[str], None]) -> None:
        self._payload_type = payload_type
        self._on_mark = on_mark
        self._encoder = encoder()
        self._waiting: deque[bytes | _Mark] = deque()
        self._frames = 0
        self._rest = b""
        self._marks: deque[tuple[float, str]] = deque()
        self._due = 0.0
        self._left = 0.0
        self._silent = 0
        self._grace = 0.0
        self._least = self._watched = 0
        self._hush = b""
        self._sequence = secrets.randbelow(1 << 15)  # the lower half: SRTP counts its wraps by itself
        self._fresh = True
        self.ssrc = ssrc
        self.timestamp = secrets.randbits(32)
        self.send: Callable[[bytes], None] | None = None
        self.delay_s = 0.0
        """The way to the caller, one way, as far as it is known."""
        self.packets = self.octets = self.late = 0

    # From the call.

    def play(self, audio: bytes, now: float) -> None:
        """WIDEBAND of any length, to be heard after what was given before."""
        audio = self._rest + audio if self._rest else audio
        whole = len(audio) - len(audio) % _FRAME
        for start in range(0, whole, _FRAME):
            self._put(audio[start : start + _FRAME])
        self._rest = audio[whole:]
        self.pump(now)

    def mark(self, name: str, now: float) -> None:
        self._fill()
        self._waiting.append(_Mark(name))
        self.pump(now)

    def clear(self) -> None:
        """Nothing that was given is sent or reported any more."""
        self._waiting.clear()
        self._marks.clear()
        self._frames = 0
        self._rest = b""
        self._grace = 0.0

    def expect_loss(self, percent: int) -> None:
        self._encoder.expect_loss(percent)

    @property
    def queued(self) -> int:
        """Frames that wait."""
        return self._frames

    def _put(self, frame: bytes) -> None:
        if self._frames and frame == _SILENCE:
            return  # what runs behind catches up where nothing is said
        self._waiting.append(frame)
        self._frames += 1
        while self._frames > MOST_FRAMES:
            oldest = self._waiting.popleft()
            if isinstance(oldest, _Mark):
                self._marks.append((self._left, oldest.name))
            else:
                self._frames -= 1

    def _fill(self) -> None:
        if self._rest:
            rest, self._rest = self._rest, b""
            self._put(rest + bytes(_FRAME - len(rest)))

    # By the clock.

    def pump(self, now: float) -> None:
        """Send what is due."""
        if self.send is None:
            return
        if now - self._due > BEHIND_S:  # the beginning, or the process stood still: nothing to catch up with
            self._skip(now)
        while self._waiting and self._due <= now + EARLY_S:
            item = self._waiting.popleft()
            if isinstance(item, _Mark):
                self._grace = 0.0
                self._marks.append((self._left + PLAYOUT_S + self.delay_s, item.name))
            else:
                self._frames -= 1
                self._say(item)
        if self._due <= now - self._grace:  # one at a time: after a stall of ours what was due may still come
            if self._rest:
                self._fill()
                self._frames -= 1
                rest = self._waiting.popleft()
                assert isinstance(rest, bytes)
                self._say(rest)
            else:
                self._hold()
        self._watch()
        while self._marks and self._marks[0][0] <= now:
            self._on_mark(self._marks.popleft()[1])

    def _watch(self) -> None:
        self._least = min(self._least, self._frames)
        self._watched += 1
        if self._watched >= WATCHED_PUMPS:
            self._due -= FRAME_S * max(0, self._least - MOST_STANDING)
            self._least, self._watched = self._frames, 0

    def _skip(self, now: float) -> None:
        """The schedule goes on from now; the timestamps tell how much was left out."""
        missed = max(0, int((now - self._due) / FRAME_S)) if self._due else 0
        self.timestamp = (self.timestamp + missed * _UNITS) & 0xFFFF_FFFF
        self.late += missed
        self._due = now
        self._fresh = True

    def _say(self, frame: bytes) -> None:
        self._silent = 0
        self._grace = GRACE_S
        self._leave(self._encoder.encode(frame))

    def _hold(self) -> None:
        """Silence."""
        self._silent += 1
        self._grace = 0.0
        if self._silent <= FADE_FRAMES:
            self._hush = self._encoder.encode(_SILENCE)
            self._leave(self._hush)
        elif self._silent % REST_FRAMES == 0:
            self._leave(self._hush[:1])
        else:
            self._pass()

    def _leave(self, payload: bytes) -> None:
        packet = RtpPacket(self._payload_type, self._sequence, self.timestamp, self.ssrc, payload)
        if self.send is not None:
            self.send(write_rtp(packet, marker=self._fresh))
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        self._pass()
        self._left = self._due

    def _pass(self) -> None:
        """20 ms."""
        self._fresh = self._silent > FADE_FRAMES
        self.timestamp = (self.timestamp + _UNITS) & 0xFFFF_FFFF
        self._due += FRAME_S
