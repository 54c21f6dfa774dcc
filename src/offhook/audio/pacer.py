"""The arithmetic of sending audio in real time: how many frames are due now. No clock, no sending."""

from __future__ import annotations


class Pacer:
    """Keeps the peer's buffer `lead_ms` full, at most `burst` frames a call.

    `now` is in monotonic seconds and never goes back. If the peer's buffer has run dry before the
    next frame, an underrun is counted and the timeline starts again from now, so that lateness is
    never made up by sending faster than `burst`.
    """

    __slots__ = ("_frame", "_lead", "_sent", "_start", "burst", "underruns")

    def __init__(self, frame_ms: float = 20.0, lead_ms: float = 60.0, burst: int = 3) -> None:
        if frame_ms <= 0 or lead_ms < frame_ms or burst < 1:
            raise ValueError("a pacer needs a lead and a burst of at least one frame")
        self._frame = frame_ms / 1000
        self._lead = lead_ms / 1000
        self._start: float | None = None
        self._sent = 0.0
        self.burst = burst
        self.underruns = 0

    @property
    def running(self) -> bool:
        """Whether speech is under way (between the first `sent` and `stop`)."""
        return self._start is not None

    def ahead_ms(self, now: float) -> float:
        """Audio sent and not yet heard, in ms; 0 once the peer has run dry."""
        return 0.0 if self._start is None else max(0.0, self._start + self._sent - now) * 1000

    def heard_ms(self, now: float) -> float:
        """Audio heard since the speech began, in ms; an estimate that takes no network delay into account."""
        if self._start is None:
            return 0.0
        return max(0.0, min(self._sent, now - self._start)) * 1000

    def due(self, now: float) -> int:
        """How many frames to send now: 0 to `burst`."""
        ahead = 0.0 if self._start is None else max(0.0, self._start + self._sent - now)
        return min(self.burst, int((self._lead - ahead) / self._frame + 1e-6)) if ahead < self._lead else 0

    def sent(self, now: float, frames: int = 1) -> None:
        """Frames were sent. Before `stop`, sending too late counts as one underrun."""
        if self._start is None:
            self._start = now
            self._sent = 0.0
        elif now > self._start + self._sent + 1e-6:
            self.underruns += 1
            self._start = now - self._sent
        self._sent += frames * self._frame

    def stop(self) -> None:
        """The speech has ended or was cleared: running dry is no underrun, the next frame begins anew."""
        self._start = None
