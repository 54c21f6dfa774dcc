"""Voice activity of one leg: speech probabilities become started, held, confirmed, paused. No clock."""

from __future__ import annotations

from dataclasses import dataclass

from offhook.call.turns import Signal

START = 0.5
STAY = 0.35


@dataclass(frozen=True, slots=True)
class VoiceTimes:
    """Milliseconds of speech before it is `started`, `held`, `confirmed`; of silence before `paused`."""

    start_ms: int = 64
    hold_ms: int = 96
    confirm_ms: int = 640
    pause_ms: int = 160


class Voice:
    """Hysteresis over window probabilities.

    `speaking` from started to paused; `speech_began_ms` and `speech_ended_ms` are media times
    of the first and last speech window; `silence_ms` is how long it has been silent since.
    """

    __slots__ = (
        "_confirmed",
        "_held",
        "_onset_ms",
        "_times",
        "_voiced_ms",
        "ever_spoke",
        "silence_ms",
        "speaking",
        "speech_began_ms",
        "speech_ended_ms",
    )

    def __init__(self, times: VoiceTimes) -> None:
        self._times = times
        self._voiced_ms = self._onset_ms = 0
        self._held = self._confirmed = False
        self.speaking = False
        self.ever_spoke = False
        self.silence_ms = 0
        self.speech_began_ms = 0
        self.speech_ended_ms = 0

    def feed(self, probability: float, at_ms: int, length_ms: int) -> Signal | None:
        """Take one window that begins at `at_ms` of media time; at most one signal per window."""
        if probability >= START or (self.speaking and probability >= STAY):
            return self._voiced(at_ms, length_ms)
        return self._silent(length_ms)

    def again(self) -> None:
        """The floor changed while the caller speaks: held and confirmed are told anew as speech goes on."""
        self._held = self._confirmed = False
        self._voiced_ms = min(self._voiced_ms, self._times.start_ms)

    def absent(self, length_ms: int) -> Signal | None:
        """No audio came for `length_ms` (a muted microphone, a stalled peer): as silence."""
        return self._silent(length_ms)

    def _voiced(self, at_ms: int, length_ms: int) -> Signal | None:
        times = self._times
        if self._voiced_ms == 0:
            self._onset_ms = at_ms
        self._voiced_ms += length_ms
        if not self.speaking and self._voiced_ms < times.start_ms:
            self.silence_ms += length_ms  # a click does not restart the silence
            return None
        self.silence_ms = 0
        self.speech_ended_ms = at_ms + length_ms
        if not self.speaking:
            self.speaking = self.ever_spoke = True
            self.speech_began_ms = self._onset_ms
            self._held = self._confirmed = False
            return Signal.SPEECH_STARTED
        if not self._held and self._voiced_ms >= times.hold_ms:
            self._held = True
            return Signal.SPEECH_HELD
        if not self._confirmed and self._voiced_ms >= times.confirm_ms:
            self._confirmed = True
            return Signal.SPEECH_CONFIRMED
        return None

    def _silent(self, length_ms: int) -> Signal | None:
        self.silence_ms += length_ms
        if not self.speaking:
            self._voiced_ms = 0
            return None
        if self.silence_ms < self._times.pause_ms:
            return None
        self.speaking = False
        self._voiced_ms = 0
        return Signal.SPEECH_PAUSED
