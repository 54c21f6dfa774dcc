"""Makes the contact center that the settings describe: router, queues, what they keep. Opens no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from offhook.audio.g711 import Samples
from offhook.audio.resample import resample_clip
from offhook.audio.wav import read_wav, to_mono
from offhook.call.directory import Directory, LiveCall
from offhook.call.hold_audio import Pattern
from offhook.call.timeline import Sink, Timeline
from offhook.center.intents import IntentReader
from offhook.center.moves import Habits, Router
from offhook.center.onward import Onward
from offhook.center.people import EVERY_SKILL, Skills
from offhook.center.queue_desk import QueueDesk
from offhook.center.queue_words import QueueRules
from offhook.center.skill_book import SkillBook
from offhook.center.staff import Staff
from offhook.center.waiting import Queue
from offhook.channels.bounds import SocketBounds
from offhook.channels.floor import FloorSocket
from offhook.channels.watch import Watch
from offhook.desk.people import People
from offhook.foundation.clock import Clock
from offhook.foundation.errors import OffhookError, SettingsError
from offhook.foundation.people import LOCAL_PERSON
from offhook.settings import Settings
from offhook.settings.queues import NOTES, SILENCE, QueueSettings
from offhook.settings.routing import target_of
from offhook.storage.center import CallBack, CenterRows, new_call_back_id
from offhook.storage.tables import calls
from offhook.web.center_site import CenterParts
from offhook.workers.share import Share

LONGEST_HOLD = 32 << 20
KNOWN_S = 0.1
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Center:
    """The directory asks its router; `follow`, `parts`, `start` and `close` are the house's to call."""

    router: Router
    queues: QueueDesk
    rows: CenterRows
    skills: SkillBook
    known: Acquaintance
    clock: Clock

    def follow(
        self, before: Callable[[Timeline], tuple[Sink, ...]]
    ) -> Callable[[Timeline], tuple[Sink, ...]]:
        """Who follows every call: those of `before`, then the router and the queues."""

        def follow(timeline: Timeline) -> tuple[Sink, ...]:
            return (*before(timeline), *self.router.follow(timeline), *self.queues.follow(timeline))

        return follow

    def parts(self, people: People, bounds: SocketBounds, watch: Watch, share: Share) -> CenterParts:
        """The doors' part of it; `share` joins the queues of all processes."""
        share.queues(self.queues)
        people.sessions.on_revoked.append(self.queues.staff.eject)
        return CenterParts(
            self.router.habits.table,
            self.queues,
            self.rows,
            self.skills,
            lambda person, session: FloorSocket(
                person, session, bounds, watch, self.queues.open, self.queues.leave
            ),
        )

    def start(self) -> None:
        self.queues.start()
        self.skills.start()

    async def close(self) -> None:
        """After the calls have ended, before the store."""
        await self.queues.close()
        await self.skills.close()
        self.router.close()
        self.known.close()
        await asyncio.to_thread(self.rows.close)


def make_center(settings: Settings, directory: Directory, engine: Engine, clock: Clock) -> Center:
    """Raises SettingsError for a hold sound that is none. The directory asks it where calls go."""
    table = settings.routing.table()
    rows = CenterRows(engine)
    skills = SkillBook(rows, {LOCAL_PERSON.id: Skills(frozenset({EVERY_SKILL}))})
    staff = Staff(clock.now)
    queues = QueueDesk(
        {name: _queue(name, own) for name, own in settings.queues.items()}, staff, skills.of, clock.now
    )
    staff.wrap_up = queues.wrap_up
    lines = settings.routing.voicemail
    queues.onward = Onward(directory, Wishes(rows, clock), queues.enter, lines)
    known = Acquaintance(partial(has_called, engine))
    habits = Habits(
        table,
        settings.routing.intent_confidence,
        settings.routing.hand_overs,
        lines,
        known,
        clock.wall,
    )
    router = Router(habits, directory, queues, IntentReader() if table.asks_intent else None)
    directory.route = router.route
    return Center(router, queues, rows, skills, known, clock)


class Wishes:
    """Implements onward.Wishes on the rows."""

    def __init__(self, rows: CenterRows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock

    def keep(self, call: LiveCall, queue: str, number: str, language: str) -> None:
        wish = CallBack(new_call_back_id(), self._clock.wall(), call.id, call.agent, queue, number, language)
        if not self._rows.keep(wish):
            _log.error("a wish to be called back is lost: the database has been away", call_id=call.id)


class Acquaintance:
    """Whether a number has called before, as `look` finds it. Asked on the event loop: a database that takes
    longer than KNOWN_S is not waited for, nor asked again before it has answered."""

    def __init__(self, look: Callable[[str], bool]) -> None:
        self._look = look
        self._pool = ThreadPoolExecutor(1, "offhook-callers")
        self._asked: Future[bool] | None = None

    def __call__(self, number: str) -> bool:
        if self._asked is not None and not self._asked.done():
            return False
        self._asked = self._pool.submit(self._look, number)
        try:
            return self._asked.result(KNOWN_S)
        except TimeoutError:
            _log.warning("it is not known whether a caller called before: the database does not answer")
            return False

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def has_called(engine: Engine, number: str) -> bool:
    """Whether a call of this number is kept: one look into an index, while the caller rings."""
    try:
        with engine.connect() as connection:
            query = select(calls.c.id).where(calls.c.caller == number).limit(1)
            return connection.execute(query).first() is not None
    except SQLAlchemyError as error:
        _log.warning("it is not known whether a caller called before", error=type(error).__name__)
        return False


def _queue(name: str, own: QueueSettings) -> Queue:
    rules = QueueRules(
        name,
        frozenset(own.skills),
        frozenset(code.lower() for code in own.languages),
        own.head_start_seconds,
        own.ring_seconds,
        own.max_wait_seconds,
        own.max_callers,
        own.unstaffed_seconds,
        own.announce_seconds,
        own.handle_seconds,
    )
    phrases: Mapping[str, Mapping[str, str]] = {
        code: lines.model_dump() for code, lines in own.phrases.items()
    }
    return Queue(
        rules,
        own.agent,
        target_of(own.overflow) if own.overflow else None,
        _hold(name, own.hold_audio),
        own.call_back_key if own.call_back else "",
        own.wrap_up_seconds,
        phrases,
    )


def _hold(name: str, audio: str) -> Pattern | None:
    """None is the shipped notes. Raises SettingsError."""
    if audio == NOTES:
        return None
    if audio == SILENCE:
        return lambda rate: _silence(rate)
    path = Path(audio)
    try:
        if path.stat().st_size > LONGEST_HOLD:
            raise SettingsError(f"queues.{name}.hold_audio: {audio!r} is larger than 32 MB")
        samples, own_rate = read_wav(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"queues.{name}.hold_audio: {audio!r} cannot be read: {error.strerror}") from None
    except OffhookError as error:
        raise SettingsError(f"queues.{name}.hold_audio: {audio!r} is no sound: {error.reason}") from None
    mono = to_mono(samples)
    if len(mono) < own_rate // 10:
        raise SettingsError(f"queues.{name}.hold_audio: {audio!r} is too short to be repeated")
    return lru_cache(maxsize=4)(lambda rate: resample_clip(mono, own_rate, rate))


@lru_cache(maxsize=4)
def _silence(rate: int) -> Samples:
    return np.zeros(rate, np.int16)
