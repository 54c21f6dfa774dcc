"""One live call: its tasks, channel, tape, and the conversation on it. Decides nothing about turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from offhook.call.conversation import Conversation
from offhook.call.legs import CallerLeg
from offhook.call.meters import Meters
from offhook.call.playback import Playback
from offhook.call.timeline import Timeline
from offhook.call.turns import Signal
from offhook.channels.base import Channel
from offhook.engines.base import Clause, Engine
from offhook.foundation.agent import Agent
from offhook.foundation.events import (
    CallEnded,
    ChannelKind,
    DigitPressed,
    EndReason,
    Floor,
    LegKind,
    Notice,
    TextReceived,
)
from offhook.storage.base import Tape

HANG_UP_DEADLINE_S = 6.0
"""A call never outlives its socket by more than this."""
_SCREENS = (ChannelKind.BROWSER, ChannelKind.WEBRTC, ChannelKind.DEVICE)


class Session:
    """A call, from the greeting to the end. Everything runs on the event loop.

    `tape` may be None (not recorded); `on_transfer` is told where the caller goes before the line
    is let go. Implements CallerListener for the channel and Walked for the media clock.
    """

    def __init__(
        self,
        agent: Agent,
        channel: Channel,
        engine: Engine,
        timeline: Timeline,
        tape: Tape | None,
        prepared: Callable[[str], Sequence[Clause]],
        on_transfer: Callable[[str], None] = lambda to: None,
    ) -> None:
        self._channel = channel
        self._engine = engine
        self._tape = tape
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()
        self._hang_up_timer: asyncio.TimerHandle | None = None
        self._meters = Meters(channel.format.encoding) if channel.kind in _SCREENS else None
        self.timeline = timeline
        self.transfer = on_transfer
        self.end_reason: EndReason | None = None
        self.leg = CallerLeg(channel.format, self._tape_caller)
        self.playback = Playback(channel, channel.format, self._tape_agent)
        self.conversation = Conversation(
            agent, engine, timeline, self.leg, self.playback, self, prepared, self._spawn
        )

    # The life of the call.

    async def run(self) -> EndReason:
        """From the greeting to the end; returns why it ended. Leaves no task behind."""
        self.conversation.greet()
        await self._closed.wait()
        if self._hang_up_timer is not None:
            self._hang_up_timer.cancel()
        reason = self.end_reason or EndReason.FAILED
        await self.conversation.finish()
        self.timeline.emit(CallEnded(reason))
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._engine.close()
        if self._tape is not None:
            self._tape.close()
        return reason

    def hang_up(self, reason: EndReason) -> None:
        """End the call from our side, now."""
        if self.end_reason is None:
            self.end_reason = reason
            self._channel.hang_up(reason)
            loop = asyncio.get_running_loop()
            self._hang_up_timer = loop.call_later(HANG_UP_DEADLINE_S, self.on_closed, reason)

    def fail(self, error: BaseException) -> None:
        """Our own fault: this call ends, the others go on."""
        if self.end_reason is None:
            self.timeline.emit(Notice(f"the call failed: {type(error).__name__}"))
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"call {self.timeline.call_id} failed", "exception": error}
            )
            self.hang_up(EndReason.FAILED)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{self.timeline.call_id}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    # What the media clock asks.

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the caller's audio was judged."""
        self.conversation.hearing.window(window, probability)

    def tick(self, now: float) -> None:
        """Every 20 ms; `now` is the clock's."""
        self.conversation.tick(self.timeline.at_ms(now))
        if self._meters is not None and (levels := self._meters.tick()) is not None:
            self.timeline.emit(levels)

    # What the channel tells.

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        self.leg.take(audio, at_ms, self.timeline.now_ms())

    def on_mark(self, name: str) -> None:
        self.playback.marked(name)

    def on_digit(self, digit: str) -> None:
        self.timeline.emit(DigitPressed(digit))
        self.conversation.digit(digit)

    def on_text(self, text: str) -> None:
        self.timeline.emit(TextReceived(text))
        self.conversation.typed(text)

    def on_lost(self) -> None:
        if self.playback.active:
            self.conversation.speaking.hold()

    def on_resumed(self) -> None:
        if self.conversation.floor is not Floor.HOLDING:
            self.conversation.speaking.resume()

    def on_closed(self, reason: EndReason) -> None:
        if self.end_reason is None:
            self.end_reason = reason
        self.conversation.signal(Signal.CLOSED)
        self._closed.set()

    # The tape.

    def _tape_caller(self, at_sample: int, audio: bytes) -> None:
        if self._meters is not None:
            self._meters.caller(audio)
        if self._tape is not None:
            self._tape.write(LegKind.CALLER, at_sample, audio)

    def _tape_agent(self, at_ms: float, audio: bytes) -> None:
        if self._meters is not None:
            self._meters.agent(audio)
        if self._tape is not None:
            at_sample = round(at_ms * self._channel.format.rate / 1000)
            self._tape.write(LegKind.AGENT, at_sample, audio)
