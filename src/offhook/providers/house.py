"""What all calls of a process share, put together from settings and parts; and who follows every call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from offhook.bus.base import Bus
from offhook.call.clockwork import MediaClock
from offhook.call.directory import House
from offhook.call.timeline import Sink, Timeline
from offhook.desk.coach.coach_desk import CoachDesk
from offhook.desk.entities.watch import EntityWatch
from offhook.desk.floor import Floor
from offhook.engines.base import EngineFactory
from offhook.engines.duplex import DuplexFactory
from offhook.foundation.agent import Agent
from offhook.foundation.clock import Clock
from offhook.providers import make_vads
from offhook.providers.hold import make_hold
from offhook.providers.moods import Moods
from offhook.providers.tools import make_tools
from offhook.settings import Settings
from offhook.speech.base import Stt
from offhook.storage.base import CallStore, Recorder
from offhook.workers.share import Share


def make_house(
    settings: Settings,
    share: Share,
    clock: Clock,
    engines: Mapping[str, EngineFactory | DuplexFactory],
    ears: Stt | None,
    store: CallStore,
    tapes: Recorder | None,
    bus: Bus,
    follow: Callable[[Timeline], Sequence[Sink]],
    moods: Moods,
) -> House:
    """What all calls of this process share."""
    return House(
        clock,
        MediaClock(clock, make_vads(settings.speech)),
        store,
        bus,
        tapes if settings.record else None,
        engines,
        {name: _bounded(agent, settings) for name, agent in settings.agents.items()},
        settings.default_agent,
        settings.engine,
        settings.limits.max_calls,
        max_load=settings.limits.max_load,
        tools=make_tools(settings, clock),
        hold=make_hold(settings),
        stt=ears,
        new_call_id=share.new_call_id,
        followers=follow,
        tap=moods.tap,
        calls_elsewhere=share.calls_elsewhere,
    )


def followers(floor: Floor, coach: CoachDesk | None, moods: Moods) -> Callable[[Timeline], tuple[Sink, ...]]:
    """Who follows the timeline of every call."""

    def follow(timeline: Timeline) -> tuple[Sink, ...]:
        coaching = (coach.follow(timeline),) if coach is not None else ()
        return (EntityWatch(timeline.emit), floor.take, *coaching, *moods.follow(timeline))

    return follow


def _bounded(agent: Agent, settings: Settings) -> Agent:
    """No agent talks longer than the house allows."""
    return replace(agent, max_call_seconds=min(agent.max_call_seconds, settings.limits.max_call_seconds))
