"""The live calls of this process: takes callers in, keeps count, ends calls. No sockets, no web."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from offhook.audio.frame import AudioFormat
from offhook.bus.base import Bus
from offhook.call.casting import Cast, cascade, duplex
from offhook.call.clockwork import MediaClock
from offhook.call.dialogue import Dialogue
from offhook.call.hold_audio import Pattern, hold_pattern
from offhook.call.human_hearing import Fittings
from offhook.call.session import Session
from offhook.call.speaking import Spawn
from offhook.call.timeline import Sink, Timeline
from offhook.call.tools.box import Toolbox, specs
from offhook.channels.base import Arrival, CallerListener, Channel
from offhook.engines.base import CallContext, Engine, EngineFactory
from offhook.engines.duplex import DuplexContext, DuplexFactory
from offhook.foundation.agent import Agent
from offhook.foundation.clock import Clock
from offhook.foundation.errors import LimitError, NotFoundError, ProviderError, StorageError
from offhook.foundation.events import (
    CallEvent,
    CallStarted,
    ChannelKind,
    EndReason,
    Entry,
    LegKind,
    Notice,
    ProviderFailed,
    TranscriptPartial,
)
from offhook.foundation.ids import call_id as new_call_id
from offhook.speech.base import Stt
from offhook.storage.base import CallRecord, CallStore, Recorder, Tape
from offhook.tools.base import ToolContext
from offhook.tools.set import Toolset

CLOSE_DEADLINE_S = 8.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class House:
    """What every call of the process shares. `recorder` is None where nothing is recorded."""

    clock: Clock
    media: MediaClock
    store: CallStore
    bus: Bus
    recorder: Recorder | None
    engines: Mapping[str, EngineFactory | DuplexFactory]
    agents: Mapping[str, Agent]
    default_agent: str
    default_engine: str
    max_calls: int = 400
    max_call_seconds: int = 1800
    max_load: float = 0.85
    tools: Toolset = field(default_factory=Toolset)
    new_call_id: Callable[[], str] = new_call_id
    hold: Pattern = hold_pattern
    """What a caller hears who waits."""
    stt: Stt | None = None
    """The recognizer of what humans on a call say; without one they have no transcript."""
    followers: Callable[[Timeline], Sequence[Sink]] = lambda timeline: ()
    """What follows every call from its first event; it may emit on the timeline when told of one."""
    tap: Callable[[str, AudioFormat], Callable[[int, bytes], None] | None] = lambda call_id, format: None
    """What else takes the caller's sound, with the sample at which each frame begins; on the frame path."""
    calls_elsewhere: Callable[[], int] = int
    """Live calls of other processes of this house, which count towards `max_calls`."""


@dataclass(slots=True)
class LiveCall:
    """A call in the directory."""

    id: str
    arrival: Arrival
    session: Session
    record: CallRecord
    task: asyncio.Task[None] | None = None

    @property
    def stays(self) -> str:
        """Why this caller cannot be put through to a number; empty where that can be done."""
        if self.record.channel is ChannelKind.PHONE and self.arrival.vendor_id:
            return ""
        if _refers(self.session.caller_channel):
            return ""
        return "only a telephone call can be put through to a number"

    @property
    def agent(self) -> str:
        """The name of the agent that answers."""
        return self.record.agent


Route = Callable[[Channel, Arrival], tuple[Arrival, Callable[[LiveCall], None]]]
"""Says, before a call is built, what it shall be; what comes with that is told of the call that began."""


def _as_asked(channel: Channel, arrival: Arrival) -> tuple[Arrival, Callable[[LiveCall], None]]:
    return arrival, lambda call: None


def _refers(channel: Channel) -> bool:
    """Whether a channel that is no phone vendor's can put its caller through itself (SIP REFER)."""
    return bool(getattr(channel, "refers", False))


def _reachable(agent: Agent, channel: Channel) -> Agent:
    """Only a phone line can be connected elsewhere; on others the agent takes a message."""
    if channel.kind is ChannelKind.PHONE or _refers(channel) or not agent.facts.transfer_to:
        return agent
    return replace(agent, facts=replace(agent.facts, transfer_to=""))


@dataclass(slots=True)
class Totals:
    """Plain counters for metrics."""

    started: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    frames_in: int = 0
    frames_out: int = 0
    underruns: int = 0


class Directory:
    """Implements Reception for the channels, and what the doors need to see of live calls.

    `on_transfer(vendor_id, destination)` is told when a phone call is to be connected elsewhere,
    `on_count(calls)` when a call begins or has ended.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._calls: dict[str, LiveCall] = {}
        self.draining = False
        self.on_transfer: Callable[[str, str], None] = lambda vendor_id, to: None
        self.on_count: Callable[[int], None] = lambda calls: None
        self.route: Route = _as_asked
        self.totals = Totals()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(tuple(self._calls.values()))

    def count(self) -> int:
        return len(self._calls)

    def get(self, call_id: str) -> LiveCall | None:
        return self._calls.get(call_id)

    def capacity(self) -> int:
        """How many more calls may begin now: none while the running ones leave too little room."""
        if self.draining or self.overloaded:
            return 0
        return max(0, self._house.max_calls - len(self._calls) - self._house.calls_elsewhere())

    @property
    def overloaded(self) -> bool:
        """Whether another call would hurt the running ones. A house without calls is never overloaded."""
        limit = self._house.max_load
        return bool(self._calls) and 0 < limit <= self._house.media.load.level

    @property
    def taken(self) -> float:
        """The share of the room for calls that is taken, 0 to 1: by count, or by what the loop can do."""
        house = self._house
        count = (len(self._calls) + house.calls_elsewhere()) / house.max_calls
        level = house.media.load.level / house.max_load if house.max_load and self._calls else 0.0
        return min(1.0, max(count, level))

    def agent(self, name: str) -> Agent:
        """The agent of this name, or the default for an empty one. Raises NotFoundError."""
        agent = self._house.agents.get(name or self._house.default_agent)
        if agent is None:
            raise NotFoundError("there is no agent of that name")
        return agent

    def arrive(self, channel: Channel, arrival: Arrival) -> tuple[str, CallerListener]:
        """Begin a call. Raises LimitError, NotFoundError; nothing is constructed then."""
        if self.capacity() == 0:
            reason = "draining" if self.draining else "load" if self.overloaded else "capacity"
            self.totals.refused[reason] += 1
            raise LimitError("no capacity for another call now")
        arrival, begun = self.route(channel, arrival)
        agent = arrival.shape(self.agent(arrival.agent))
        call = self._begin(channel, arrival, agent)
        self._calls[call.id] = call
        self.on_count(len(self._calls))
        self.totals.started[channel.kind] += 1
        begun(call)
        call.task = asyncio.create_task(self._live(call), name=call.id)
        return call.id, call.session

    def hand_over(
        self, call_id: str, agent: Agent, line: str = "", language: str = "", waits: bool = False
    ) -> None:
        """A live call goes on with this agent, who knows what was heard: it says `line`, and answers who
        `waits`, in this `language` (empty: as before). Raises NotFoundError, and LimitError where it cannot
        answer; nothing has changed then."""
        call = self._calls.get(call_id)
        if call is None or call.session.end_reason is not None:
            raise NotFoundError("there is no live call with that id")
        session, channel = call.session, call.session.caller_channel
        agent = _reachable(agent, channel)
        cast = self._cast(agent, channel.format, session.timeline, call.arrival, channel.kind)
        session.hand_over(cast, line, language, waits)
        call.record = replace(call.record, agent=agent.name)

    def hang_up(self, call_id: str, reason: EndReason) -> None:
        """Begin to end a live call. Raises NotFoundError when it is not live."""
        call = self._calls.get(call_id)
        if call is None:
            raise NotFoundError("there is no live call with that id")
        call.session.hang_up(reason)

    def emit(self, call_id: str, event: CallEvent) -> bool:
        """Put an event on a live call's timeline; False where there is no such call here."""
        call = self._calls.get(call_id)
        if call is not None:
            call.session.timeline.emit(event)
        return call is not None

    async def close(self, reason: EndReason = EndReason.SERVER_STOPPED, grace_s: float = 4.0) -> None:
        """End all calls: a goodbye within `grace_s`, then the line; returns when all are cleaned up."""
        self.draining = True
        tasks = [call.task for call in self if call.task is not None]
        if not tasks:
            return
        for call in self:
            call.session.conversation.say_goodbye(reason)
        if grace_s > 0:
            await asyncio.wait(tasks, timeout=grace_s)
        for call in self:
            call.session.on_closed(reason)
        await asyncio.wait(tasks, timeout=CLOSE_DEADLINE_S)

    def _begin(self, channel: Channel, arrival: Arrival, agent: Agent) -> LiveCall:
        house = self._house
        call_id = arrival.call_id or house.new_call_id()
        agent = _reachable(agent, channel)
        sinks: tuple[Sink, ...] = (self._keep, house.bus.publish, channel.tell)
        timeline = Timeline(call_id, house.clock, sinks)
        cast = self._cast(agent, channel.format, timeline, arrival, channel.kind)
        timeline.add(*house.followers(timeline))  # of a call that is refused they would keep what they know
        record = CallRecord(
            id=call_id,
            direction=arrival.direction,
            channel=channel.kind,
            agent=agent.name,
            caller=arrival.caller,
            called=arrival.called,
            started_at=timeline.started_at,
            vendor_id=arrival.vendor_id,
        )
        house.store.begin(record)
        timeline.emit(CallStarted(arrival.direction, channel.kind, agent.name))
        tape = self._tape(timeline, channel.format)

        def transfer(to: str) -> None:
            refer = getattr(channel, "refer", None)
            if _refers(channel) and refer is not None:
                refer(to)
            else:
                self.on_transfer(arrival.vendor_id, to)

        fittings = Fittings(house.stt, agent.spoken, house.media.add, house.media.remove, house.hold)
        fittings = replace(fittings, tap=house.tap(call_id, channel.format))
        session = Session(channel, timeline, tape, cast, transfer, fittings)
        return LiveCall(call_id, arrival, session, record)

    def _cast(
        self, agent: Agent, format: AudioFormat, timeline: Timeline, arrival: Arrival, kind: ChannelKind
    ) -> Cast[Dialogue]:
        """The agent's engine, open, and the conversation that it takes. Raises LimitError."""
        house = self._house
        factory = house.engines[agent.engine or house.default_engine]

        def open_engine(factory: EngineFactory) -> Engine:
            return self._engine(factory, agent, format, timeline, arrival)

        def toolbox(spawn: Spawn) -> Toolbox:
            variables = dict(arrival.variables)
            about = ToolContext(
                timeline.call_id, agent.name, kind, arrival.caller, arrival.called, variables=variables
            )
            return Toolbox(agent, about, house.tools, timeline, spawn)

        try:
            if not isinstance(factory, DuplexFactory):
                return cascade(agent, factory, open_engine(factory), toolbox)
            fallback = house.engines.get(agent.fallback_engine)
            variables = dict(arrival.variables)
            tools = specs(agent, house.tools)
            context = DuplexContext(
                timeline.call_id, agent, format, tuple, variables, tools, kind is ChannelKind.TEXT
            )
            spare = None if isinstance(fallback, DuplexFactory) else fallback
            return duplex(agent, factory, context, spare, open_engine, toolbox)
        except ProviderError as error:
            self.totals.refused["engine"] += 1
            _log.error("a call was refused: its engine did not open", agent=agent.name, reason=error.reason)
            raise LimitError("this agent cannot answer now") from None

    def _engine(
        self,
        factory: EngineFactory,
        agent: Agent,
        format: AudioFormat,
        timeline: Timeline,
        arrival: Arrival,
    ) -> Engine:
        """Raises ProviderError."""

        def partial(text: str) -> None:
            call = self._calls.get(timeline.call_id)
            if call is not None:
                timeline.emit(TranscriptPartial(LegKind.CALLER, call.session.conversation.next_turn, text))

        variables = dict(arrival.variables)
        tools = specs(agent, self._house.tools)
        return factory.open(CallContext(timeline.call_id, agent, format, partial, variables, tools))

    def _tape(self, timeline: Timeline, format: AudioFormat) -> Tape | None:
        if self._house.recorder is None:
            return None
        formats: dict[str, AudioFormat] = {LegKind.CALLER: format, LegKind.AGENT: format}
        try:
            return self._house.recorder.open(timeline.call_id, formats)
        except StorageError as error:
            timeline.emit(Notice(f"this call is not recorded: {error.reason}"))
            return None

    def _keep(self, entry: Entry) -> None:
        if isinstance(entry.event, ProviderFailed) and not entry.event.absorbed:  # else its lineup has told
            _log.warning("a provider failed", provider=entry.event.provider, reason=entry.event.reason)
        if not entry.event.transient:
            self._house.store.keep(entry)

    async def _live(self, call: LiveCall) -> None:
        house, session = self._house, call.session
        structlog.contextvars.bind_contextvars(call_id=call.id)
        _log.info("call began", channel=call.record.channel, agent=call.record.agent)
        reason = EndReason.FAILED
        try:
            house.media.add(session)
            reason = await session.run()
        except Exception:
            _log.exception("call failed")
        finally:
            reason = session.end_reason or reason
            house.media.remove(session)
            del self._calls[call.id]
            self.on_count(len(self._calls))
            self._count(session, reason)
            timeline = session.timeline
            house.store.end(call.id, reason, timeline.wall(), session.ended_ms or int(timeline.now_ms()))
            _log.info("call ended", reason=reason, seconds=round(timeline.now_ms() / 1000, 1))

    def _count(self, session: Session, reason: EndReason) -> None:
        totals = self.totals
        totals.ended[reason] += 1
        totals.frames_in += session.leg.frames
        totals.frames_out += session.playback.frames
        totals.underruns += session.playback.underruns
