"""The listening half of a call: voice activity, the caller's words, the end of the turn. No playback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from offhook.call.judge import Judgement, is_backchannel, is_echo, is_filler, needed_silence_ms, words
from offhook.call.legs import WINDOW_MS, CallerLeg
from offhook.call.timeline import Timeline
from offhook.call.turns import Signal
from offhook.call.voice import Voice, VoiceTimes
from offhook.engines.base import Engine
from offhook.foundation.agent import Patience
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import (
    LegKind,
    ProviderFailed,
    SpeechEnded,
    SpeechStarted,
    TranscriptFinal,
)

HEARD_DEADLINE_S = 4.0
FINISHED_DEADLINE_S = 0.5
ABSENT_MS = 150
"""No audio for this long counts as silence (a muted microphone, a stalled peer)."""


class Hearing:
    """Hears one caller. `signal` is told what happens; `agent_text()` is what the agent said last.

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
        agent_text: Callable[[], str],
    ) -> None:
        self._engine = engine
        self._timeline = timeline
        self._patience = patience
        self._signal = signal
        self._agent_text = agent_text
        self._serial = 0
        self._judgement: Judgement | None = None
        self._began_ms = 0
        self._carried = ""
        self.leg = leg
        self.voice = Voice(VoiceTimes(hold_ms=patience.hold_ms, confirm_ms=patience.confirm_ms))
        self.hearing = False
        self.failed = False
        self.is_typed = False
        self.text = ""
        self.language = ""
        self.judged_ms = 0.0

    # On the media path.

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the caller's audio and its speech probability."""
        signal = self.voice.feed(probability, self.leg.position_ms, WINDOW_MS)
        self.leg.taken(window)
        if self.hearing:
            self._engine.hear(window)
        if signal is not None:
            self._note(signal)

    def absent(self, now_ms: float, length_ms: int) -> None:
        """A tick of the clock: a leg that sends nothing is silent."""
        if now_ms - self.leg.heard_at_ms > ABSENT_MS:
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
        self._carried = self.text
        self._began_ms = self.voice.speech_began_ms
        self._engine.hear_begin()
        self._engine.hear(self.leg.pre_roll())

    def drop(self) -> None:
        """Forget what was taken down."""
        self.void()
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
        self._began_ms = self.voice.speech_ended_ms = now_ms
        self.judged_ms = now_ms

    def commit(self, turn: int) -> str:
        """The turn is over: its words, which go to the timeline as final."""
        text, self.text = self.text, ""
        if text:
            ended_ms = max(self.voice.speech_ended_ms, self._began_ms)
            self._timeline.emit(
                TranscriptFinal(LegKind.CALLER, turn, text, self._began_ms, ended_ms, self.language)
            )
        self.drop()
        return text

    async def judge(self) -> None:
        """Find the words so far and whether the turn sounds complete; then consider it."""
        self._serial += 1
        serial = self._serial
        self.failed = False
        heard, complete = await asyncio.gather(self._heard(), self._finished())
        if serial != self._serial:
            return
        self._judgement = Judgement(heard[0], complete, heard[1])
        self.judged_ms = self._timeline.now_ms()
        self.consider()

    def consider(self, holding: bool = False) -> None:
        """Whether the paused turn is over by now; called as silence goes on."""
        judgement = self._judgement
        if judgement is None:
            return
        text, silence = judgement.text, self.voice.silence_ms
        if holding and not self.failed and (is_backchannel(text) or is_echo(text, self._agent_text())):
            self._settle("", Signal.TURN_EMPTY)
        elif self.failed:
            self._settle("", Signal.TURN_ENDED)
        elif not words(text):
            if silence >= self._patience.endpoint_ms:
                self._settle("", Signal.TURN_EMPTY)
        elif is_filler(text):
            if silence >= self._patience.endpoint_max_ms:
                self._settle("", Signal.TURN_EMPTY)
        elif silence >= needed_silence_ms(judgement, self._patience):
            self.language = judgement.language
            self._settle(text, Signal.TURN_ENDED)

    async def last_words(self) -> None:
        """The caller left in mid-turn: what was said so far is still worth having."""
        if self.hearing and self.voice.ever_spoke:
            self.text = (await self._heard())[0]

    def _settle(self, text: str, signal: Signal) -> None:
        self._judgement = None
        self._serial += 1
        self.text = f"{self._carried} {text}".strip()
        self._carried = ""
        self._signal(Signal.TURN_ENDED if self.text else signal)

    async def _heard(self) -> tuple[str, str]:
        try:
            async with asyncio.timeout(HEARD_DEADLINE_S):
                transcript = await self._engine.heard()
        except (ProviderError, TimeoutError) as error:
            self.failed = True
            self._timeline.emit(_failure("stt", error))
            return "", ""
        return transcript.text.strip(), transcript.language

    async def _finished(self) -> float:
        try:
            async with asyncio.timeout(FINISHED_DEADLINE_S):
                return await self._engine.finished()
        except (ProviderError, TimeoutError):
            return 0.5  # without a judgement the short silence decides


def _failure(kind: str, error: Exception) -> ProviderFailed:
    if isinstance(error, ProviderError):
        return ProviderFailed(error.provider, error.reason)
    return ProviderFailed(kind, f"{kind}: no answer in time")
