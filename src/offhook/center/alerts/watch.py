"""Follows every call with the rules that are for it, and raises alerts on its timeline. Tells nobody else."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol

from offhook.call.timeline import Timeline
from offhook.center.alerts.rules import Cause, Rule, Watched, raised, watching
from offhook.foundation.center_events import HandedOver, Queued, Unqueued
from offhook.foundation.clock import Clock
from offhook.foundation.desk_events import AlertRaised, ModeChanged, SentimentFound
from offhook.foundation.events import (
    CallEnded,
    CallEvent,
    CallStarted,
    Entry,
    Floor,
    FloorChanged,
    LegKind,
    SpeechEnded,
    SpeechStarted,
    TranscriptFinal,
)
from offhook.foundation.people import Mode

LOOK_S = 1.0
MOST = 50
"""Alerts of one call; what is raised after that is nobody's help any more."""
_TALKS = (Floor.GREETING, Floor.SPEAKING, Floor.CLOSING)


class Pager(Protocol):
    """Tells of an alert elsewhere; immediate."""

    def page(self, call: CallFacts, alert: AlertRaised) -> None: ...


class CallFacts(Protocol):
    """What is told of a call with an alert."""

    call_id: str
    agent: str
    queue: str
    channel: str
    last: SentimentFound | None


class AlertDesk:
    """Of one process. There is a timer only while a call is watched for silence."""

    def __init__(self, rules: Sequence[Rule], clock: Clock, pager: Pager | None = None) -> None:
        self._rules = tuple(rules)
        self._clock = clock
        self._pager = pager
        self._calls: dict[str, WatchedCall] = {}
        self._timer: asyncio.TimerHandle | None = None

    def follow(self, timeline: Timeline) -> Callable[[Entry], None]:
        """The sink of a call that begins."""
        call = WatchedCall(timeline, self._rules, self._clock, self._page)
        self._calls[timeline.call_id] = call

        def take(entry: Entry) -> None:
            call.take(entry.event)
            if isinstance(entry.event, CallEnded):
                self._calls.pop(entry.call_id, None)
            elif self._timer is None and call.for_silence:
                self._wait()

        return take

    def close(self) -> None:
        """Nothing more is raised. Idempotent."""
        self._calls.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _page(self, call: WatchedCall, alert: AlertRaised) -> None:
        if alert.page and self._pager is not None:
            self._pager.page(call, alert)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._timer = None
        watched = [call for call in self._calls.values() if call.for_silence]
        for call in watched:
            call.look()
        if watched:
            self._wait()


class WatchedCall:
    """The rules on one call, and what they need to know of it. Implements CallFacts."""

    def __init__(
        self,
        timeline: Timeline,
        rules: Sequence[Rule],
        clock: Clock,
        page: Callable[[WatchedCall, AlertRaised], None],
    ) -> None:
        self.call_id = timeline.call_id
        self.agent = self.queue = self.channel = ""
        self.last: SentimentFound | None = None
        self._timeline = timeline
        self._rules = rules
        self._clock = clock
        self._page = page
        self._watched: list[Watched] = []
        self._quiet = Quiet(clock.now())
        self._count = 0

    @property
    def for_silence(self) -> bool:
        return any(each.rule.cause is Cause.SILENCE for each in self._watched)

    def take(self, event: CallEvent) -> None:
        """Something happened in the call."""
        now = self._clock.now()
        self._quiet.take(event, now)
        match event:
            case CallStarted():
                self.agent, self.channel = event.agent, event.channel.value
                self._watched = watching(self._rules, self.agent, self.queue)
            case SentimentFound():
                self.last = event
            case HandedOver(target=target):
                self.moved(agent=target)
            case Queued(queue=queue):
                self.moved(queue=queue)
        for watched in self._watched:
            if why := watched.see(event, now):
                self._raise(watched.rule, why)

    def moved(self, agent: str = "", queue: str = "") -> None:
        """The call is another agent's or queue's now: the rules that are for it begin anew."""
        agent, queue = agent or self.agent, queue or self.queue
        if (agent, queue) != (self.agent, self.queue):
            self.agent, self.queue = agent, queue
            kept = {id(each.rule): each for each in self._watched}
            fresh = watching(self._rules, agent, queue)
            self._watched = [kept.get(id(each.rule), each) for each in fresh]

    def look(self) -> None:
        """A second has passed."""
        now = self._clock.now()
        seconds = self._quiet.seconds(now)
        for watched in self._watched:
            if why := watched.silent(seconds, now):
                self._raise(watched.rule, why)

    def _raise(self, rule: Rule, why: str) -> None:
        self._count += 1
        if self._count > MOST:
            return
        alert = raised(rule, f"alert_{secrets.token_hex(8)}", why, int(self._timeline.now_ms()))
        self._timeline.emit(alert)
        self._page(self, alert)


class Quiet:
    """How long nobody has said a word. On hold, in a queue and while the agent speaks, nobody needs to."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._speaking: set[LegKind] = set()
        self._floor = Floor.GREETING
        self._mode = Mode.AGENT
        self._queued = False

    def take(self, event: CallEvent, now: float) -> None:
        match event:
            case SpeechStarted(leg):
                self._speaking.add(leg)
            case SpeechEnded(leg):
                self._speaking.discard(leg)
                self._since = now
            case TranscriptFinal():
                self._since = now
            case FloorChanged(floor):
                if self._floor in _TALKS and floor not in _TALKS:
                    self._since = now
                self._floor = floor
            case Queued() | Unqueued():
                self._queued, self._since = isinstance(event, Queued), now
            case ModeChanged(mode=mode):
                if self._mode in (Mode.HOLD, Mode.CONSULT):
                    self._since = now
                self._mode = mode

    def seconds(self, now: float) -> float:
        agent = self._floor in _TALKS and self._mode in (Mode.AGENT, Mode.JOIN, Mode.SAY)
        busy = self._speaking or agent or self._queued or self._mode in (Mode.HOLD, Mode.CONSULT)
        return 0.0 if busy else max(0.0, now - self._since)
