"""One live call: its tasks, channel, tape, and the conversation on it. Decides nothing about turns."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import structlog

from offhook.audio.frame import AudioFormat
from offhook.call.bridge import Bridge
from offhook.call.casting import Cast
from offhook.call.dialogue import Dialogue
from offhook.call.guests import Guests
from offhook.call.hearing import ABSENT_MS
from offhook.call.human_hearing import NO_FITTINGS, Fittings
from offhook.call.legs import CallerLeg
from offhook.call.meters import Meters
from offhook.call.playback import Playback
from offhook.call.said import Said
from offhook.call.sound_bridge import SPOKEN, SoundBridge
from offhook.call.timeline import Timeline
from offhook.channels.base import Channel, Steering
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import (
    CallEnded,
    ChannelKind,
    DigitPressed,
    EndReason,
    LegKind,
    Notice,
    ProviderFailed,
    ReplySent,
    TextReceived,
)
from offhook.foundation.people import Mode
from offhook.speech import fallback
from offhook.storage.base import Tape

HANG_UP_DEADLINE_S = 6.0
"""A call never outlives its socket by more than this."""
ENGINE_DEADLINE_S = 3.0
PHONE_ABSENT_MS = 1_000
"""A phone line always sends: a shorter hole is the network's and ends no turn."""
_log = structlog.get_logger(__name__)
CLAUSE_MS = 4_000
LEAD_MS = 80
PROGRAM_LEAD_MS = 20_000
"""How far ahead of the caller's ear audio is sent; a program owns its playback, and truncates it."""
_SCREENS = (ChannelKind.BROWSER, ChannelKind.WEBRTC, ChannelKind.LIVEKIT, ChannelKind.DEVICE)


class Session:
    """A call, from the greeting to the end. Everything runs on the event loop.

    `ended_ms` is the media time at which the caller was lost, 0 while the caller is there.
    `cast` puts the conversation on it; `tape` may be None (not recorded); `on_transfer` is told where the
    caller goes before the line is let go. Implements CallerListener for the channel and Walked for the
    media clock. `steering` is for the caller's program, where turns are ours to take.
    """

    def __init__(
        self,
        channel: Channel,
        timeline: Timeline,
        tape: Tape | None,
        cast: Cast[Dialogue],
        on_transfer: Callable[[str], None] = lambda to: None,
        fittings: Fittings = NO_FITTINGS,
    ) -> None:
        self._channel = channel
        self._tape = tape
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()
        self._hang_up_timer: asyncio.TimerHandle | None = None
        self._context: contextvars.Context | None = None
        self._meters = Meters(channel.format.encoding) if channel.kind in _SCREENS else None
        self._bridge: Bridge | None = None
        self._sound: SoundBridge | None = None
        self._taped: set[str] = set()
        self._clause_end: tuple[Said, float, Callable[[], None]] | None = None
        self.fittings = fittings
        self.timeline = timeline
        self.transfer = on_transfer
        self._guests: Guests | None = None
        self.end_reason: EndReason | None = None
        self.ended_ms = 0
        self.leg = CallerLeg(channel.format, self._tape_caller)
        self.absent_ms = PHONE_ABSENT_MS if channel.kind is ChannelKind.PHONE else ABSENT_MS
        lead_ms = PROGRAM_LEAD_MS if channel.kind is ChannelKind.REALTIME else LEAD_MS
        self.playback = Playback(
            channel, channel.format, self._tape_agent, lead_ms, on_sent=lambda: timeline.emit(ReplySent())
        )
        self._dialogues: list[Dialogue] = []
        self.replace(cast(self))

    def replace(self, dialogue: Dialogue) -> None:
        """From now on the call is this conversation's; earlier ones are closed with the call."""
        self._dialogues.append(dialogue)
        self._hear = dialogue.hear
        self.conversation = dialogue

    def hand_over(
        self, cast: Cast[Dialogue], line: str = "", language: str = "", waits: bool = False
    ) -> None:
        """From now on the call is this cast's: it knows what was heard, says `line`, answers who `waits` or
        was not answered to the end. `language` is the caller's; empty: as it was."""
        old, new = self.conversation, cast(self)
        left = old.retire()
        left = replace(left, language=language or left.language, waits=waits or left.waits)
        self.replace(new)
        new.take_up(left, line)
        self.attend()
        self.spawn(self._let_go(old), "hand over")

    async def _let_go(self, dialogue: Dialogue) -> None:
        """A conversation that has nothing to do any more; the end of the call closes it, should this not."""
        await self._close(dialogue)
        self._dialogues.remove(dialogue)

    @property
    def steering(self) -> Steering | None:
        """How a program steers this call; None where the vendor decides the turns."""
        return getattr(self.conversation, "steering", None)

    # Others at the caller's end.

    @property
    def party(self) -> Guests:
        """Who else is there with the caller."""
        if self._guests is None:
            self._guests = Guests(self)
            if self._closed.is_set():
                self._guests.close()
        return self._guests

    @property
    def sound(self) -> SoundBridge | None:
        """The bridge's sound, while there is any to move."""
        return self._sound

    @property
    def mode(self) -> Mode:
        """How the call is conducted now."""
        return self._bridge.mode if self._bridge is not None else Mode.AGENT

    def tape_guest(self, leg: str, format: AudioFormat, at_sample: int, audio: bytes) -> None:
        """What a guest says."""
        if self._tape is not None:
            if leg not in self._taped:
                self._taped.add(leg)
                self._tape.join(leg, format)
            self._tape.write(leg, at_sample, audio)

    # Humans on the call.

    @property
    def bridge(self) -> Bridge:
        """Who else is on the call, and who hears whom."""
        if self._bridge is None:
            self._bridge = Bridge(self)
            if self._closed.is_set():
                self._bridge.close(self.end_reason or EndReason.FAILED)
        return self._bridge

    @property
    def crossed(self) -> Bridge | None:
        """The bridge, where a human has been on the call; None spares what nobody needs yet."""
        return self._bridge

    @property
    def caller_channel(self) -> Channel:
        return self._channel

    def attend(self) -> None:
        """What the conversation wants to hear has changed."""
        self._hear = self.conversation.hear

    def bridged(self, on: bool) -> None:
        """Whether the bridge wants ticks, and the sound of caller and agent."""
        self._sound = self.bridge.sound if on else None
        if self._sound is not None and self._guests is not None:
            self._guests.route(self._sound)

    def tape_human(self, leg: str, at_sample: int, audio: bytes) -> None:
        """What the caller hears of a human."""
        if self._tape is not None:
            if leg not in self._taped:
                self._taped.add(leg)
                self._tape.join(leg, SPOKEN)
            self._tape.write(leg, at_sample, audio)

    # The life of the call.

    async def run(self) -> EndReason:
        """From the greeting to the end; returns why it ended. Leaves no task behind, whatever fails."""
        fallback.witness(self._absorbed)
        self._context = contextvars.copy_context()
        try:
            self.conversation.greet()
            await self._closed.wait()
            await self._finish()
        finally:
            reason = self.end_reason or EndReason.FAILED
            self.hang_up(reason)
            if self._hang_up_timer is not None:
                self._hang_up_timer.cancel()
            self.timeline.emit(CallEnded(reason))
            await self._release()
        return reason

    async def _finish(self) -> None:
        """Everybody goes; what they were saying, sought for all at once, still belongs to the transcript."""
        sought = [self.conversation.finish()]
        if self._bridge is not None:
            self._bridge.close(self.end_reason or EndReason.FAILED)
            sought.append(self._bridge.finish())
        if self._guests is not None:
            self._guests.close()
            sought.append(self._guests.finish())
        for found in await asyncio.gather(*sought, return_exceptions=True):
            if isinstance(found, BaseException):
                raise found

    async def _release(self) -> None:
        """Let go of tasks, tape and engine; an engine that does not close in time is left behind."""
        if self._bridge is not None:
            self._bridge.close(self.end_reason or EndReason.FAILED)
            self._sound = None
        if self._guests is not None:
            self._guests.close()
        if self._tape is not None:
            self._tape.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for dialogue in self._dialogues:
            await self._close(dialogue)

    @staticmethod
    async def _close(dialogue: Dialogue) -> None:
        try:
            async with asyncio.timeout(ENGINE_DEADLINE_S):
                await dialogue.close()
        except Exception as error:
            _log.warning("an engine did not close", error=type(error).__name__)

    def hang_up(self, reason: EndReason) -> None:
        """End the call from our side, now."""
        if self.end_reason is None:
            self.end_reason = reason
            self.conversation.end()
            self._channel.hang_up(reason)
            loop = asyncio.get_running_loop()
            self._hang_up_timer = loop.call_later(HANG_UP_DEADLINE_S, self.on_closed, reason)

    def fail(self, error: BaseException) -> None:
        """Our own fault: this call ends, the others go on."""
        if self.end_reason is not None:
            return
        _log.error("a call failed", call_id=self.timeline.call_id, exc_info=error)
        self.timeline.emit(Notice(f"the call failed: {type(error).__name__}"))
        try:
            self.hang_up(EndReason.FAILED)
        except Exception as again:
            _log.error("a failed call did not hang up", call_id=self.timeline.call_id, exc_info=again)
            self._closed.set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Begin a task of this call's, in the call's context whoever spawns it (a clock, a socket).
        What it raises ends the call."""
        task = asyncio.create_task(work, name=f"{self.timeline.call_id}:{name}", context=self._context)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _absorbed(self, error: ProviderError) -> None:
        self.timeline.emit(ProviderFailed(error.provider, error.reason, absorbed=True))

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    # What the media clock asks.

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the caller's audio was judged."""
        self.conversation.window(window, probability)

    def after_clause(self, then: Callable[[], None]) -> None:
        """Call `then` once the clause that the caller hears now was heard: at once where there is none, and
        within CLAUSE_MS however long it is."""
        if (said := self.playback.clause) is None:
            then()
        else:
            self._clause_end = (said, self.timeline.now_ms() + CLAUSE_MS, then)

    def tick(self, now: float) -> None:
        """Every 20 ms; `now` is the clock's."""
        now_ms = self.timeline.at_ms(now)
        self.conversation.tick(now_ms)
        if self._sound is not None:
            self.bridge.tick(now_ms)
        if self._guests is not None:
            self._guests.tick()
        if self._clause_end is not None:
            said, by_ms, then = self._clause_end
            if self.playback.clause is not said or now_ms >= by_ms:
                self._clause_end = None
                then()
        if self._meters is not None and (levels := self._meters.tick()) is not None:
            self.timeline.emit(levels)

    # What the channel tells.

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        self.leg.take(audio, at_ms, self.timeline.now_ms())
        if self._hear is not None:
            self._hear(audio)

    def on_mark(self, name: str) -> None:
        self.playback.marked(name)

    def on_digit(self, digit: str) -> None:
        self.timeline.emit(DigitPressed(digit))
        self.conversation.digit(digit)

    def on_text(self, text: str) -> None:
        self.timeline.emit(TextReceived(text))
        self.conversation.typed(text)

    def on_lost(self) -> None:
        self.ended_ms = int(self.timeline.now_ms())
        self.conversation.leave()

    def on_resumed(self) -> None:
        self.ended_ms = 0
        self.conversation.come_back()

    def on_closed(self, reason: EndReason) -> None:
        if self.end_reason is None:
            self.end_reason = reason
        self.conversation.end(lost=reason is EndReason.PEER_LOST)
        self._closed.set()

    # The tape.

    def _tape_caller(self, at_sample: int, audio: bytes) -> None:
        if self._meters is not None:
            self._meters.caller(audio)
        if self._sound is not None:
            self._sound.caller(audio)
        if self.fittings.tap is not None:
            self.fittings.tap(at_sample, audio)
        if self._tape is not None:
            self._tape.write(LegKind.CALLER, at_sample, audio)

    def _tape_agent(self, at_ms: float, audio: bytes) -> None:
        if self._meters is not None:
            self._meters.agent(audio)
        if self._sound is not None:
            self._sound.agent(audio)
        if self._tape is not None:
            at_sample = round(at_ms * self._channel.format.rate / 1000)
            self._tape.write(LegKind.AGENT, at_sample, audio)
