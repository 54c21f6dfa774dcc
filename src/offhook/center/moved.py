"""One call that rules may move in mid-call: to another agent, a queue, a number, voicemail. Judges no rules.

A move waits until the caller does not speak, and while a human conducts the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from offhook.call.directory import LiveCall
from offhook.call.timeline import Timeline
from offhook.center.conditions import Situation
from offhook.center.listener import Listener
from offhook.center.phrases import phrases_in
from offhook.center.routing import Decision, TargetKind
from offhook.center.voicemail import voicemail
from offhook.foundation.agent import Agent
from offhook.foundation.center_events import HandedOver, RouteDecided
from offhook.foundation.desk_events import ModeChanged
from offhook.foundation.errors import OffhookError
from offhook.foundation.events import CallEnded, EndReason, Entry, Floor, FloorChanged, Notice
from offhook.foundation.people import Mode

if TYPE_CHECKING:
    from offhook.center.moves import Router

LINE_S = 12.0
"""A line before a caller is connected elsewhere takes no longer."""
_FREE = (Floor.LISTENING, Floor.THINKING, Floor.SPEAKING)


class MovedCall:
    """`take` is a sink of the call's timeline. The caller hears one change of voice at most."""

    def __init__(self, timeline: Timeline, router: Router, forget: Callable[[str, Any], Any]) -> None:
        self._timeline = timeline
        self._router = router
        self._forget = forget
        self._base: Situation | None = None
        self._used: set[str] = set()
        self._moves = 0
        self._voice_changed = False
        self._agent: Agent | None = None
        self._pending: Decision | None = None
        self._ending = False
        self._reading: asyncio.Task[None] | None = None
        self._listener = Listener(self._changed, self._want, router.habits.intent_confidence)

    def began(self, situation: Situation, rule: str) -> None:
        """How the call was routed as it arrived."""
        self._base = situation
        self._used.add(rule)
        self._listener.language = situation.language

    def take(self, entry: Entry) -> None:
        match entry.event:
            case CallEnded():
                self._forget(entry.call_id, None)
                if self._reading is not None:
                    self._reading.cancel()
            case FloorChanged() | ModeChanged():
                self._soon()
            case event:
                self._listener.take(event)

    # What is known.

    def _want(self, text: str, language: str) -> None:
        reader = self._router.intents
        if reader is None or self._done:
            return
        if self._reading is not None:
            self._reading.cancel()

        async def read() -> None:
            self._listener.meant(*await reader.read(text, language))

        self._reading = asyncio.get_running_loop().create_task(
            read(), name=f"{self._timeline.call_id}:intent"
        )

    @property
    def _done(self) -> bool:
        return self._moves >= self._router.habits.hand_overs

    def _changed(self) -> None:
        """Ask the table again: only a rule that looks at what changes may move the call, and only once."""
        call = self._router.calls.get(self._timeline.call_id)
        if call is None or self._done:
            return
        if self._base is None:
            self._base = self._router.situation(call.session.caller_channel, call.arrival)
        known, habits = self._listener, self._router.habits
        decision = habits.table.decide(
            replace(
                self._base,
                at=habits.wall(),
                load=self._router.calls.taken,
                language=known.language or self._base.language,
                intent=known.intent,
                sentiment=known.sentiment,
            )
        )
        moves = decision.live and decision.rule not in self._used and not self._has(call, decision)
        self._pending = decision if moves else None
        self._soon()

    def _has(self, call: LiveCall, decision: Decision) -> bool:
        """Whether the agent that a rule wants has the call already: that is no move."""
        target = decision.target
        if target.kind is not TargetKind.AGENT:
            return False
        return self._router.calls.agent(target.name or call.arrival.agent).name == call.agent

    # The move.

    def _soon(self) -> None:
        """Not within an event: whoever tells of it is in the middle of something."""
        if self._pending is not None:
            asyncio.get_running_loop().call_soon(self._move)

    def _move(self) -> None:
        """The agent that has the call is heard to the end of its clause."""
        call = self._router.calls.get(self._timeline.call_id)
        decision = self._pending
        if decision is None or call is None or call.session.end_reason is not None or not _free(call):
            return
        if call.session.conversation.floor is not Floor.SPEAKING:
            self._go(call, decision)
        elif not self._ending:
            self._ending = True
            call.session.after_clause(lambda: self._clause_ended(call))

    def _clause_ended(self, call: LiveCall) -> None:
        self._ending = False
        if self._pending is not None and call.session.end_reason is None and _free(call):
            self._go(call, self._pending, owes=True)

    def _go(self, call: LiveCall, decision: Decision, owes: bool = False) -> None:
        """`owes`: the agent that has the call was stopped in the middle of its answer."""
        self._pending = None
        if self._has(call, decision):
            return
        self._used.add(decision.rule)
        self._moves += 1
        self._timeline.emit(told(decision, live=True))
        try:
            self._obey(call, decision, owes)
        except OffhookError as error:
            self._timeline.emit(Notice(f"the call stays where it is: {error.reason}"))

    def _obey(self, call: LiveCall, decision: Decision, owes: bool) -> None:
        target, router = decision.target, self._router
        match target.kind:
            case TargetKind.QUEUE:
                router.queues.enter(call, target.name)
            case TargetKind.NUMBER:
                call.session.spawn(self._connect(call, target.name), "connect")
            case TargetKind.AGENT:
                agent = router.calls.agent(target.name or call.arrival.agent)
                self._hand_over(call, agent, decision.rule, "hand_over", owes)
            case TargetKind.VOICEMAIL:
                agent = voicemail(router.calls.agent(target.name or call.agent), router.habits.voicemail)
                self._hand_over(call, agent, decision.rule, "greeting", owes)

    def _hand_over(self, call: LiveCall, agent: Agent, rule: str, line: str, owes: bool) -> None:
        """`line` names what the agent says first; it `owes` the caller an answer. Raises OffhookError."""
        source = call.agent
        current = self._agent or self._router.calls.agent(source)
        changes = (agent.engine, agent.voice, agent.voices) != (current.engine, current.voice, current.voices)
        if changes and self._voice_changed:
            agent = replace(
                agent,
                engine=current.engine,
                fallback_engine=current.fallback_engine,
                voice=current.voice,
                voices=current.voices,
            )
            changes = False
        language = self._listener.language or call.session.conversation.language
        self._router.calls.hand_over(call.id, agent, agent.line(line, language), language, owes)
        self._voice_changed = self._voice_changed or changes
        self._agent = agent
        self._timeline.emit(HandedOver(source, agent.name, rule, changes))

    async def _connect(self, call: LiveCall, to: str) -> None:
        await say(call, phrases_in(call.session.conversation.language, {}).connecting)
        connect(call, to)


async def say(call: LiveCall, line: str) -> None:
    """Say a line to the caller, and wait until it was heard."""
    session = call.session
    session.conversation.say_line(line)
    with suppress(TimeoutError):
        async with asyncio.timeout(LINE_S):
            while session.conversation.saying and session.end_reason is None:  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.05)


def connect(call: LiveCall, to: str) -> None:
    """Let go of the line; the phone vendor connects the caller elsewhere."""
    call.session.transfer(to)
    call.session.hang_up(EndReason.TRANSFERRED)


def told(decision: Decision, *, live: bool = False) -> RouteDecided:
    """As the timeline has it."""
    tried = [f"{each.rule}: {each.why}" for each in decision.tried]
    return RouteDecided(str(decision.target), decision.rule, decision.why, tried, live)


def _free(call: LiveCall) -> bool:
    """Whether the call may change hands at this moment."""
    session = call.session
    bridge = session.crossed
    if bridge is not None and (bridge.mode is not Mode.AGENT or bridge.waits):
        return False
    return session.conversation.floor in _FREE
