"""Puts warm transfers together: who works is the contact center's, who speaks the studio's. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offhook.call.directory import Directory
from offhook.call.timeline import Sink, Timeline
from offhook.center.queue_desk import QueueDesk
from offhook.desk.desk import Desk
from offhook.desk.errands import unpack
from offhook.desk.floor import Floor
from offhook.desk.people import People
from offhook.desk.studio import Studio
from offhook.desk.warm.ports import WarmParts, WarmRules
from offhook.desk.warm.targets import Colleague
from offhook.desk.warm.warm_desk import WarmDesk


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


Follow = Callable[[Timeline], tuple[Sink, ...]]


def make_warm(
    desk: Desk,
    directory: Directory,
    queues: QueueDesk,
    studio: Studio,
    people: People,
    floor: Floor,
    follow: Follow,
) -> Follow:
    """Of one process: the desk has it; who follows every call, besides those of `follow`."""
    parts = WarmParts(
        Consoles(queues),
        studio.narrator,
        studio.memory,
        people.audit.note,
        WarmRules(),
        before=floor.calls_before,
    )
    warm = WarmDesk(parts, directory.get, lambda agent: directory.agent(agent).consult)
    desk.warm = warm
    queues.opened = warm.opened
    return lambda timeline: (*follow(timeline), *warm.follow(timeline))
