"""One call: raises signals, obeys the turn table's commands, tells the timeline. No rules of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from offhook.call.hearing import Hearing
from offhook.call.history import History
from offhook.call.legs import CallerLeg
from offhook.call.limits import Keypad, LoopGuard
from offhook.call.meters import Meters
from offhook.call.playback import FRAME_MS, Playback
from offhook.call.speaking import Speaking
from offhook.call.timeline import Timeline
from offhook.call.tools import run
from offhook.call.turns import Command, Signal, Turns
from offhook.channels.base import Channel
from offhook.engines.base import Clause, Engine
from offhook.foundation.agent import Agent
from offhook.foundation.events import (
    CallEnded,
    ChannelKind,
    DigitPressed,
    EndReason,
    Floor,
    FloorChanged,
    Interrupted,
    InterruptionResumed,
    LegKind,
    NoInput,
    Notice,
    TextReceived,
    ToolCalled,
)
from offhook.speech.base import ToolCall
from offhook.storage.base import Tape

HANG_UP_DEADLINE_S = 6.0
WITHOUT_MICROPHONE = 6
"""How many times longer a caller who only types may take."""
MAX_FAILURES = 3
_SCREENS = (ChannelKind.BROWSER, ChannelKind.WEBRTC, ChannelKind.DEVICE)


class Session:
    """A live call. Everything runs on the event loop; `signal` is the one entrance to the turn table.

    `prepared(text)` gives lines spoken ahead of the call; `tape` may be None (not recorded);
    `on_transfer` is told where the caller goes before the line is let go.
    """

    def __init__(
        self,
        agent: Agent,
        channel: Channel,
        engine: Engine,
        timeline: Timeline,
        tape: Tape | None,
        prepared: Callable[[str], tuple[Clause, ...]],
    ) -> None:
        self.agent = agent
        self.channel = channel
        self.timeline = timeline
        self.engine = engine
        self.tape = tape
        self._prepared = prepared
        self._turns = Turns()
        self._history = History()
        self._keypad = Keypad()
        self._loop_guard = LoopGuard()
        self._meters = Meters(channel.format.encoding) if channel.kind in _SCREENS else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()
        self._turn = 0
        self._prompts = 0
        self._wait_from_ms = 0.0
        self._hang_up_timer: asyncio.TimerHandle | None = None
        self.end_reason: EndReason | None = None
        self.on_transfer: Callable[[str], None] = lambda to: None
        self._goodbye_reason = EndReason.AGENT_HUNG_UP
        leg = CallerLeg(channel.format, self._tape_caller)
        self.hearing = Hearing(leg, engine, timeline, agent.patience, self.signal, lambda: self.speaking.said)
        playback = Playback(channel, channel.format, self._tape_agent)
        self.speaking = Speaking(
            engine, playback, timeline, self.signal, self._tool, lambda: prepared(agent.apology), self._spawn
        )

    # The life of the call.

    async def run(self) -> EndReason:
        """From the greeting to the end; returns why it ended. Leaves no task behind."""
        self._greet()
        await self._closed.wait()
        if self._hang_up_timer is not None:
            self._hang_up_timer.cancel()
        reason = self.end_reason or EndReason.FAILED
        await self.hearing.last_words()
        self._keep_open_turns()
        self.timeline.emit(CallEnded(reason))
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.engine.close()
        if self.tape is not None:
            self.tape.close()
        return reason

    def _greet(self) -> None:
        self.timeline.emit(FloorChanged(self._turns.floor))
        lines = self._prepared(self.agent.greeting)
        if lines:
            self.speaking.play(0, lines)
        elif self.agent.greeting:
            self.speaking.say(0, self.agent.greeting)
        else:
            self.signal(Signal.REPLY_EMPTY)

    def _keep_open_turns(self) -> None:
        """What was under way when the caller left still belongs to the transcript."""
        self._history.add(LegKind.CALLER, self.hearing.commit(self._turn + 1))
        self.speaking.cut()

    def hang_up(self, reason: EndReason) -> None:
        """End the call from our side, now."""
        if self.end_reason is None:
            self.end_reason = reason
            self.channel.hang_up(reason)
            loop = asyncio.get_running_loop()
            self._hang_up_timer = loop.call_later(HANG_UP_DEADLINE_S, self._close, reason)

    def say_goodbye(self, reason: EndReason) -> None:
        """End the call from our side, politely: the agent's goodbye first."""
        self._goodbye_reason = reason
        self.signal(Signal.GAVE_UP)

    def _close(self, reason: EndReason) -> None:
        if self.end_reason is None:
            self.end_reason = reason
        self.signal(Signal.CLOSED)
        self._closed.set()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{self.timeline.call_id}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Our own fault: this call ends, the others go on."""
        self.timeline.emit(Notice(f"the call failed: {type(error).__name__}"))
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"call {self.timeline.call_id} failed", "exception": error}
        )
        self.hang_up(EndReason.FAILED)

    # The media clock's half.

    @property
    def leg(self) -> CallerLeg:
        return self.hearing.leg

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the caller's audio was judged."""
        self.hearing.window(window, probability)

    def tick(self) -> None:
        """Every 20 ms: send what is due, and let time pass."""
        now_ms = self.timeline.now_ms()
        if self.speaking.playback.tick(now_ms):
            self.signal(Signal.REPLY_DONE)
            if self.speaking.failures >= MAX_FAILURES:
                self.say_goodbye(EndReason.FAILED)
        self.hearing.absent(now_ms, FRAME_MS)
        floor = self._turns.floor
        if floor is Floor.PAUSING or floor is Floor.HOLDING:
            self.hearing.consider(holding=floor is Floor.HOLDING)
        elif floor is Floor.LISTENING:
            self._wait(now_ms)
        if digits := self._keypad.tick(now_ms):
            self._typed(digits)
        if self._meters is not None and (levels := self._meters.tick()) is not None:
            self.timeline.emit(levels)
        if now_ms >= self.agent.max_call_seconds * 1000 and floor not in (Floor.CLOSING, Floor.ENDED):
            self.say_goodbye(EndReason.MAX_LENGTH)

    def _wait(self, now_ms: float) -> None:
        limit = self.agent.patience.no_input_ms
        if self.hearing.leg.frames == 0:
            limit *= WITHOUT_MICROPHONE
        if now_ms - self._wait_from_ms < limit:
            return
        self._prompts += 1
        self.timeline.emit(NoInput(self._prompts))
        if self._prompts > self.agent.patience.reprompts:
            self.say_goodbye(EndReason.NO_INPUT)
        else:
            self.signal(Signal.NO_INPUT)

    # The turn table's half.

    def signal(self, signal: Signal) -> None:
        """Something happened: move the floor and do what the table says."""
        before = self._turns.floor
        for command in self._turns.feed(signal):
            _DO[command](self)
        after = self._turns.floor
        if after is not before:
            self.timeline.emit(FloorChanged(after))
            if after is Floor.LISTENING and self.hearing.voice.speaking:
                self.signal(Signal.SPEECH_STARTED)

    @property
    def next_turn(self) -> int:
        """The number of the turn that the caller's words now belong to."""
        return self._turn + 1

    def _judge(self) -> None:
        self._spawn(self.hearing.judge(), "judge")

    def _reply(self) -> None:
        self._prompts = 0
        hearing = self.hearing
        if hearing.failed:
            self.speaking.say(self._turn + 1, self.agent.apology)
        elif self._loop_guard.allow(self.timeline.now_ms()):
            messages = self._history.with_caller(hearing.text)
            self.speaking.reply(self._turn + 1, messages, hearing.voice.speech_ended_ms, hearing.judged_ms)
        else:
            self.timeline.emit(Notice("too many replies in a row; the agent waits"))
            self.signal(Signal.REPLY_EMPTY)

    def _commit(self) -> None:
        self._turn += 1
        self._history.add(LegKind.CALLER, self.hearing.commit(self._turn))

    def _hold(self) -> None:
        self.speaking.hold()

    def _resume(self) -> None:
        self.timeline.emit(InterruptionResumed(self._turn))
        self.speaking.resume()

    def _cut(self) -> None:
        if self.speaking.playback.active:
            self.timeline.emit(Interrupted(self._turn, int(self.timeline.now_ms())))
        self._history.add(LegKind.AGENT, self.speaking.cut())

    def _finish(self) -> None:
        self._history.add(LegKind.AGENT, self.speaking.finish())

    def _begin_wait(self) -> None:
        self._wait_from_ms = self.timeline.now_ms()

    def _say(self, text: str) -> None:
        self._turn += 1
        if lines := self._prepared(text):
            self.speaking.play(self._turn, lines)
        else:
            self.speaking.say(self._turn, text)

    def _say_goodbye(self) -> None:
        if self.agent.goodbye:
            self._say(self.agent.goodbye)
        else:
            self.signal(Signal.REPLY_EMPTY)

    def _tool(self, call: ToolCall) -> None:
        outcome = run(call, self.agent.facts.transfer_to)
        self.timeline.emit(ToolCalled(call.name, call.arguments, outcome.result))
        if outcome.ends is not None:
            self._goodbye_reason = outcome.ends
            if outcome.ends is EndReason.TRANSFERRED:
                self.on_transfer(self.agent.facts.transfer_to)
            self.signal(Signal.GOODBYE)

    # What the channel tells (CallerListener).

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        self.hearing.leg.take(audio, at_ms, self.timeline.now_ms())

    def on_mark(self, name: str) -> None:
        self.speaking.playback.marked(name)

    def on_digit(self, digit: str) -> None:
        self.timeline.emit(DigitPressed(digit))
        if digits := self._keypad.press(digit, self.timeline.now_ms()):
            self._typed(digits)

    def on_text(self, text: str) -> None:
        self.timeline.emit(TextReceived(text))
        self._typed(text)

    def _typed(self, text: str) -> None:
        if self._turns.floor in (Floor.CLOSING, Floor.ENDED):
            return
        floor = self._turns.floor
        if floor is Floor.THINKING and self.hearing.text:
            text = f"{self.hearing.text} {text}"
        self.hearing.drop()
        self.hearing.typed(text)
        self.signal(Signal.TYPED)

    def on_lost(self) -> None:
        if self.speaking.playback.active:
            self.speaking.hold()

    def on_resumed(self) -> None:
        if self._turns.floor is not Floor.HOLDING:
            self.speaking.resume()

    def on_closed(self, reason: EndReason) -> None:
        self._close(reason)

    # The tape.

    def _tape_caller(self, at_sample: int, audio: bytes) -> None:
        if self._meters is not None:
            self._meters.caller(audio)
        if self.tape is not None:
            self.tape.write(LegKind.CALLER, at_sample, audio)

    def _tape_agent(self, at_ms: float, audio: bytes) -> None:
        if self._meters is not None:
            self._meters.agent(audio)
        if self.tape is not None:
            at_sample = round(at_ms * self.channel.format.rate / 1000)
            self.tape.write(LegKind.AGENT, at_sample, audio)


_DO: dict[Command, Callable[[Session], None]] = {
    Command.HEAR_BEGIN: lambda s: s.hearing.begin(),
    Command.HEAR_DROP: lambda s: s.hearing.drop(),
    Command.JUDGE: Session._judge,
    Command.VOID: lambda s: s.hearing.void(),
    Command.REPLY: Session._reply,
    Command.CANCEL: lambda s: s.speaking.cancel(),
    Command.HOLD: Session._hold,
    Command.RESUME: Session._resume,
    Command.CUT: Session._cut,
    Command.COMMIT: Session._commit,
    Command.FINISH: Session._finish,
    Command.WAIT: Session._begin_wait,
    Command.PROMPT: lambda s: s._say(s.agent.still_there),
    Command.SAY_GOODBYE: Session._say_goodbye,
    Command.HANG_UP: lambda s: s.hang_up(s._goodbye_reason),
}
