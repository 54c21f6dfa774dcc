"""The listening half of a call: voice activity, the caller's words, the end of the turn. No playback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from offhook.call.judge import Judgement, is_backchannel, is_echo, is_filler, needed_silence_ms, words
from offhook.call.legs import PRE_ROLL_MS, WINDOW_MS, CallerLeg
from offhook.call.timeline import Timeline, failure
from offhook.call.turns import Signal
from offhook.call.voice import Voice, VoiceTimes
from offhook.engines.base import Engine
from offhook.foundation.agent import Patience
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import (
    Backchannel,
    LegKind,
    SpeechEnded,
    SpeechStarted,
    TranscriptFinal,
)
from offhook.speech.base import Transcript

HEARD_DEADLINE_S = 4.0
FINISHED_DEADLINE_S = 0.5
ABSENT_MS = 150
"""No audio for this long counts as silence (a muted microphone)."""
MAX_TURN_MS = 45_000
ASIDE_MS = 1_000


class Voiced(Protocol):
    """The agent's voice, as far as a listener must know it."""

    @property
    def said(self) -> str:
        """What the agent was given to say last."""

    @property
    def is_held(self) -> bool:
        """Whether the agent stopped because of an overlap that is still undecided."""

    @property
    def unheard_ms(self) -> float:
        """How much of it the caller has still to hear."""


class Hearing:
    """Hears one caller. `signal` is told what happens; `agent` is what it must know of the other voice;
    a leg that sends nothing for `absent_ms` is silent; `attended` says whether a human answers the caller.

    `text` holds the words of the turn that ended, `failed` whether they could not be found,
    `is_typed` whether they were not spoken at all.
    """

    def __init__(
        self,
        leg: CallerLeg,
        engine: Engine,
        timeline: Timeline,
        patience: Patience,
        signal: Callable[[Signal], None],
        agent: Voiced,
        absent_ms: int = ABSENT_MS,
        attended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._engine = engine
        self._timeline = timeline
        self._patience = patience
        self._signal = signal
        self._agent = agent
        self._absent_ms = absent_ms
        self._attended = attended
        self._serial = 0
        self._judgement: Judgement | None = None
        self.began_ms = 0
        self._carried = self._typed = ""
        self._overlong = False
        self.leg = leg
        self.voice = Voice(VoiceTimes(hold_ms=patience.hold_ms, confirm_ms=patience.confirm_ms))
        self.hearing = False
        self.failed = False
        self.is_typed = False
        self.text = ""
        self.language = ""
        self.judged_ms = 0.0

    def revise(self, patience: Patience) -> None:
        """Wait for the caller like this from now on."""
        self._patience = patience

    # On the media path.

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the caller's audio and its speech probability."""
        signal = self.voice.feed(probability, self.leg.position_ms, WINDOW_MS)
        self.leg.taken(window)
        if self.hearing:
            self._engine.hear(window)
            if signal is None and self.voice.speaking and not self._overlong:
                self._bound()
        if signal is not None:
            self._note(signal)

    def _bound(self) -> None:
        """A turn without any pause is judged all the same, once it is long."""
        if self.leg.position_ms - self.began_ms >= MAX_TURN_MS:
            self._overlong = True
            self._signal(Signal.SPEECH_PAUSED)

    def absent(self, now_ms: float, length_ms: int) -> None:
        """A tick of the clock: a leg that sends nothing is silent."""
        if now_ms - self.leg.heard_at_ms > self._absent_ms:
            signal = self.voice.absent(length_ms)
            if signal is not None:
                self._note(signal)

    def _note(self, signal: Signal) -> None:
        if signal is Signal.SPEECH_STARTED:
            self._timeline.emit(SpeechStarted(LegKind.CALLER, self.voice.speech_began_ms))
        elif signal is Signal.SPEECH_PAUSED:
            self._timeline.emit(SpeechEnded(LegKind.CALLER, self.voice.speech_ended_ms))
        self._signal(signal)

    # Commands.

    def begin(self) -> None:
        """Take down the caller's words from just before now; go on if already begun."""
        if self.hearing:
            return
        self.hearing = True
        self.is_typed = False
        self._overlong = False
        self._carried, self.text = self.text, ""
        self.began_ms = max(self.voice.speech_began_ms, self.leg.position_ms - PRE_ROLL_MS)
        self._engine.hear_begin()
        self._engine.hear(self.leg.pre_roll())

    def drop(self) -> None:
        """Forget what was taken down."""
        self.void()
        self._carried = self._typed = ""
        if self.hearing:
            self.hearing = False
            self._engine.hear_drop()

    def void(self) -> None:
        """A judgement under way, or made, no longer counts."""
        self._serial += 1
        self._judgement = None

    def typed(self, text: str) -> None:
        """A line that was typed is a turn of its own."""
        self.text, self.failed, self.language = text, False, ""
        self.is_typed = True
        now_ms = int(self._timeline.now_ms())
        self.began_ms = self.voice.speech_ended_ms = now_ms
        self.judged_ms = now_ms

    def also_typed(self, text: str) -> None:
        """A line that was typed while speaking belongs to the turn that is being spoken."""
        self._typed = f"{self._typed} {text}".strip()

    def commit(self, turn: int) -> str:
        """The turn is over: its words, which go to the timeline as final."""
        text, self.text = self.text, ""
        if text:
            ended_ms = max(self.voice.speech_ended_ms, self.began_ms)
            self._timeline.emit(
                TranscriptFinal(LegKind.CALLER, turn, text, self.began_ms, ended_ms, self.language)
            )
        self.drop()
        return text

    async def judge(self) -> None:
        """Find the words so far and whether the turn sounds complete; then consider it."""
        self._serial += 1
        serial = self._serial
        self.failed = False
        transcript, complete = await asyncio.gather(self._heard(), self._finished())
        if serial != self._serial:
            return
        if transcript is None:
            self._judgement = Judgement("", complete, failed=True)
        else:
            self._judgement = Judgement(transcript.text.strip(), complete, transcript.language)
        self.judged_ms = self._timeline.now_ms()
        self.consider()

    def consider(self) -> None:
        """Whether the paused turn is over by now; called as silence goes on."""
        judgement = self._judgement
        if judgement is None:
            return
        text, silence = judgement.text, self.voice.silence_ms
        if judgement.failed:
            self.failed = True
            self._settle("", Signal.TURN_ENDED)
        elif self._agent.is_held and self._is_aside(text):
            if words(text):
                self._timeline.emit(Backchannel(text, self.began_ms))
            self._settle("", Signal.TURN_EMPTY)
        elif self._overlong and words(text):
            self._settle(text, Signal.TURN_ENDED)
        elif not words(text):
            noise = self._overlong and self.voice.speaking  # it is taken down anew, for words in it
            if noise or silence >= self._patience.endpoint_ms:
                self._settle("", Signal.TURN_EMPTY)
        elif is_filler(text):
            if silence >= self._patience.endpoint_max_ms:
                self._settle("", Signal.TURN_EMPTY)
        elif silence >= needed_silence_ms(judgement, self._patience, self._attended()):
            self.language = judgement.language
            self._settle(text, Signal.TURN_ENDED)

    async def last_words(self) -> None:
        """The caller left in mid-turn: what was said so far is still worth having."""
        if self.hearing and self.voice.ever_spoke:
            transcript = await self._heard()
            text = transcript.text.strip() if transcript is not None else ""
            if text or not self.text:
                self.text = self._whole(text)

    def _is_aside(self, text: str) -> bool:
        """Whether words over the agent leave it the floor. Near its end a "yes" is an answer, no aside."""
        if is_filler(text) or is_echo(text, self._agent.said):
            return True
        return is_backchannel(text) and self._agent.unheard_ms > ASIDE_MS

    def _settle(self, text: str, signal: Signal) -> None:
        self._judgement = None
        self._serial += 1
        self.text = self._whole(text)
        self._signal(Signal.TURN_ENDED if self.text else signal)

    def _whole(self, spoken: str) -> str:
        """The turn with what was typed before and during it, however often it was taken for over."""
        return " ".join(part for part in (self._carried, spoken, self._typed) if part)

    async def _heard(self) -> Transcript | None:
        """The words so far; None when they could not be found."""
        try:
            async with asyncio.timeout(HEARD_DEADLINE_S):
                return await self._engine.heard()
        except (ProviderError, TimeoutError) as error:
            self._timeline.emit(failure("stt", error))
            return None

    async def _finished(self) -> float:
        try:
            async with asyncio.timeout(FINISHED_DEADLINE_S):
                return await self._engine.finished()
        except (ProviderError, TimeoutError):
            return 0.5  # without a judgement the short silence decides
