"""Our own ear in a call whose vendor decides the turns: when the caller spoke, and a quick, provisional hush.

It never ends a turn and never gives up a reply: that is the vendor's word, which comes a little later.
"""

from __future__ import annotations

from collections.abc import Callable

from offhook.call.legs import WINDOW_MS, CallerLeg
from offhook.call.playback import FRAME_MS, Playback
from offhook.call.timeline import Timeline
from offhook.call.turns import Signal
from offhook.call.voice import Voice, VoiceTimes
from offhook.foundation.agent import Patience
from offhook.foundation.events import LegKind, SpeechEnded, SpeechStarted

HOLD_GRACE_MS = 500
"""So long after the caller fell silent the vendor may still say that it was an interruption."""
HOLD_MAX_MS = 3_000
"""A vendor that hears nothing in so much speech does not mean to give way."""
_RECENT_MS = 5_000
_JUST_ENDED_MS = 2_000


class Overlap:
    """`may_hold()` says whether the agent may be hushed now. `voice` is the caller's, by our own detector."""

    def __init__(
        self,
        leg: CallerLeg,
        playback: Playback,
        timeline: Timeline,
        patience: Patience,
        may_hold: Callable[[], bool],
        absent_ms: int,
    ) -> None:
        self._leg = leg
        self._playback = playback
        self._timeline = timeline
        self._may_hold = may_hold
        self._absent_ms = absent_ms
        self._until_ms = 0.0
        self._taken_ms = -1
        self._silence = leg.format.silence(leg.format.samples(FRAME_MS))
        self.voice = Voice(VoiceTimes(hold_ms=patience.hold_ms, confirm_ms=patience.confirm_ms))

    def take_began_ms(self) -> int:
        """When the turn that the vendor tells of began: with the speech that is going on, or with one that
        ended just now and was no turn's yet (some vendors tell of a turn when it is over), or now."""
        voice, now_ms = self.voice, int(self._timeline.now_ms())
        just_ended = voice.ever_spoke and now_ms - voice.speech_ended_ms < _JUST_ENDED_MS
        if voice.speaking or (just_ended and voice.speech_began_ms > self._taken_ms):
            self._taken_ms = voice.speech_began_ms
            return voice.speech_began_ms
        return now_ms

    @property
    def ended_ms(self) -> int:
        """When the last speech ended, or now where our detector heard none lately."""
        now_ms = int(self._timeline.now_ms())
        recent = self.voice.ever_spoke and now_ms - self.voice.speech_ended_ms < _RECENT_MS
        return min(self.voice.speech_ended_ms, now_ms) if recent else now_ms

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the caller's audio and its speech probability."""
        signal = self.voice.feed(probability, self._leg.position_ms, WINDOW_MS)
        self._leg.taken(window)
        if signal is not None:
            self._note(signal)

    def absent(self, now_ms: float) -> bytes:
        """A tick of the clock: silence to be heard in place of a caller who sends nothing, if so."""
        if not self._leg.frames or now_ms - self._leg.heard_at_ms <= self._absent_ms:
            return b""
        signal = self.voice.absent(FRAME_MS)
        if signal is not None:
            self._note(signal)
        return self._silence

    def resumes(self, now_ms: float) -> bool:
        """Let the agent go on, if the vendor did not call it an interruption in time; whether it does."""
        if not self._playback.held or now_ms < self._until_ms:
            return False
        self._playback.resume()
        return True

    def rest(self) -> None:
        """The caller is heard elsewhere for a while."""
        self.voice.absent(_RECENT_MS)

    def _note(self, signal: Signal) -> None:
        now_ms = self._timeline.now_ms()
        if signal is Signal.SPEECH_STARTED:
            self._timeline.emit(SpeechStarted(LegKind.CALLER, self.voice.speech_began_ms))
        elif signal is Signal.SPEECH_PAUSED:
            self._timeline.emit(SpeechEnded(LegKind.CALLER, self.voice.speech_ended_ms))
            self._until_ms = min(self._until_ms, now_ms + HOLD_GRACE_MS)
        elif signal is Signal.SPEECH_HELD and self._playback.active and self._may_hold():
            if not self._playback.held:
                self._playback.hold(now_ms)
            self._until_ms = now_ms + HOLD_MAX_MS
