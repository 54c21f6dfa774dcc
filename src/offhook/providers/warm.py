"""Puts warm transfers together: who works is the contact center's, who speaks the studio's. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offhook.call.directory import Directory, LiveCall
from offhook.call.timeline import Sink, Timeline
from offhook.center.queue_desk import QueueDesk
from offhook.desk.coach.coach_desk import CoachDesk
from offhook.desk.coach.llm_brain import LlmBrain
from offhook.desk.desk import Desk
from offhook.desk.errands import unpack
from offhook.desk.floor import Floor
from offhook.desk.people import People
from offhook.desk.studio import Studio
from offhook.desk.warm.ports import Summary, WarmParts
from offhook.desk.warm.targets import Colleague
from offhook.desk.warm.warm_desk import WarmDesk
from offhook.foundation.events import TranscriptFinal
from offhook.settings import Settings

LINES = 30
"""Of the call, that a model is shown."""


class Consoles:
    """Implements ports.Finder by the queues' operators, in all processes of the house."""

    def __init__(self, queues: QueueDesk) -> None:
        self._queues = queues

    async def colleagues(self) -> Sequence[Colleague]:
        alone = not self._queues.queues  # nobody says there that they are available
        return [
            Colleague(
                unpack(person),
                bool(free),
                bool(free and (alone or available)),
                frozenset(serves),
                float(since),
            )
            for person, free, available, serves, since in await self._queues.operators()
        ]

    def show(self, person_id: str, raw: bytes) -> None:
        self._queues.show(person_id, raw)


def summary_of(coach: CoachDesk | None) -> Summary | None:
    """By the model that thinks for the coach; None: the briefing is made here."""
    brain = coach.brain if coach is not None else None
    if not isinstance(brain, LlmBrain):
        return None
    model = brain

    async def sum_up(call: LiveCall, language: str) -> str:
        lines = [entry.event for entry in call.session.timeline.recent]
        said = [f"{line.leg}: {line.text}" for line in lines if isinstance(line, TranscriptFinal)]
        return await model.sum_up("\n".join(said[-LINES:]), language)

    return sum_up


Follow = Callable[[Timeline], tuple[Sink, ...]]


def make_warm(
    settings: Settings,
    desk: Desk,
    directory: Directory,
    queues: QueueDesk,
    studio: Studio,
    people: People,
    floor: Floor,
    follow: Follow,
    coach: CoachDesk | None = None,
) -> Follow:
    """Of one process: the desk has it; who follows every call, besides those of `follow`."""
    parts = WarmParts(
        Consoles(queues),
        studio.narrator,
        studio.memory,
        people.audit.note,
        settings.warm.rules(),
        summary=summary_of(coach),
        before=floor.calls_before,
        queues=frozenset(settings.queues),
    )
    warm = WarmDesk(parts, directory.get, lambda agent: directory.agent(agent).consult)
    desk.warm = warm
    queues.opened = warm.opened
    return lambda timeline: (*follow(timeline), *warm.follow(timeline))
