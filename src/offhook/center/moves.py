"""Obeys the routing table: sends calls on as they arrive, has them followed in mid-call. Writes no rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from offhook.call.directory import LiveCall
from offhook.call.timeline import Sink, Timeline
from offhook.center.conditions import Situation
from offhook.center.intents import IntentReader
from offhook.center.moved import MovedCall, connect, told
from offhook.center.routing import Table, Target, TargetKind
from offhook.center.voicemail import voicemail
from offhook.channels.base import Arrival, Channel
from offhook.foundation.agent import Agent
from offhook.foundation.events import ChannelKind, Direction

NEVER_ROUTED = (ChannelKind.REALTIME, ChannelKind.SILENT)


class Calls(Protocol):
    """The live calls of this process (call.directory)."""

    @property
    def taken(self) -> float: ...

    def get(self, call_id: str) -> LiveCall | None: ...

    def agent(self, name: str) -> Agent: ...

    def hand_over(
        self, call_id: str, agent: Agent, line: str = "", language: str = "", waits: bool = False
    ) -> None: ...


class Queues(Protocol):
    """Where callers wait for operators."""

    def agent_of(self, queue: str) -> str:
        """Whose voice they hear; empty: whom they called."""

    def enter(self, call: LiveCall, queue: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Habits:
    """How a house moves calls. `voicemail` and `connecting` are lines by language; `known(number)` says
    whether it has called before, and is asked where a rule wants it."""

    table: Table = field(default_factory=Table)
    intent_confidence: float = 0.6
    hand_overs: int = 3
    voicemail: Mapping[str, str] = field(default_factory=dict)
    known: Callable[[str], bool] = lambda number: False
    wall: Callable[[], datetime] = datetime.now


class Router:
    """Of one process. `route` goes into the directory, `follow` is told of every call as it begins."""

    def __init__(
        self, habits: Habits, calls: Calls, queues: Queues, intents: IntentReader | None = None
    ) -> None:
        self.habits = habits
        self.calls = calls
        self.queues = queues
        self.intents = intents
        self._moved: dict[str, MovedCall] = {}

    def route(self, channel: Channel, arrival: Arrival) -> tuple[Arrival, Callable[[LiveCall], None]]:
        """What the call shall be, and what is done once it has begun. Immediate."""
        table = self.habits.table
        routed = arrival.direction is Direction.INBOUND and channel.kind not in NEVER_ROUTED
        if not table or not routed:
            return arrival, lambda call: None
        situation = self.situation(channel, arrival)
        decision = table.decide(situation)
        arrival = self._sent(arrival, decision.target)

        def begun(call: LiveCall) -> None:
            call.session.timeline.emit(told(decision))
            if (moved := self._moved.get(call.id)) is not None:
                moved.began(situation, decision.rule)
            self._follow_up(call, decision.target)

        return arrival, begun

    def situation(self, channel: Channel, arrival: Arrival) -> Situation:
        """What is known of a caller at the door."""
        habits = self.habits
        caller = arrival.caller or channel.peer
        return Situation(
            at=habits.wall(),
            number=arrival.called,
            caller=caller,
            channel=channel.kind.value,
            language=arrival.variables.get("language", "")[:16],
            returning=bool(caller) and habits.table.asks_returning and habits.known(caller),
            load=self.calls.taken,
            variables=arrival.variables,
            agent=arrival.agent,
            refers=bool(getattr(channel, "refers", False)),
        )

    def follow(self, timeline: Timeline) -> tuple[Sink, ...]:
        """The sinks of a call that begins."""
        if not self.habits.table.live:
            return ()
        moved = MovedCall(timeline, self, self._moved.pop)
        self._moved[timeline.call_id] = moved
        return (moved.take,)

    def close(self) -> None:
        if self.intents is not None:
            self.intents.close()

    def _sent(self, arrival: Arrival, target: Target) -> Arrival:
        match target.kind:
            case TargetKind.AGENT:
                return replace(arrival, agent=target.name or arrival.agent)
            case TargetKind.QUEUE:
                return replace(arrival, agent=self.queues.agent_of(target.name) or arrival.agent)
            case TargetKind.NUMBER:
                return _shaped(arrival, lambda agent: replace(agent, greeting="", phrases={}))
        lines = self.habits.voicemail
        return _shaped(
            replace(arrival, agent=target.name or arrival.agent), lambda agent: voicemail(agent, lines)
        )

    def _follow_up(self, call: LiveCall, target: Target) -> None:
        if target.kind is TargetKind.QUEUE:
            self.queues.enter(call, target.name)
        elif target.kind is TargetKind.NUMBER:
            asyncio.get_running_loop().call_soon(connect, call, target.name)


def _shaped(arrival: Arrival, more: Callable[[Agent], Agent]) -> Arrival:
    before = arrival.shape
    return replace(arrival, shape=lambda agent: more(before(agent)))
