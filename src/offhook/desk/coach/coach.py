"""The coach of one call: follows what is said and makes cards. Knows no sockets, no seats, no vendors."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import structlog

from offhook.desk.coach.advice import Advice, compose
from offhook.desk.coach.asking import Asking
from offhook.desk.coach.brain import Brain, Spoken, View
from offhook.desk.coach.cards import Cards
from offhook.desk.coach.profile import Profile
from offhook.desk.coach.reading import Reader, Reading
from offhook.desk.coach.risk import Risk, rank
from offhook.desk.coach.sense import Sense
from offhook.foundation.events import CallEvent, LegKind, TranscriptFinal

MERGE_MS = 700
"""A caller's turn that comes or begins so soon after the one before is part of it: turns end sooner while a
human answers than an agent would let them."""
LINES = 40
LONGEST_TURN = 1_200
"""Characters of several turns taken for one."""
HIGH = 3
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Counsel:
    """What all coaches of a house share. `language` is the operators', empty for the caller's own;
    `deadline_s` is how long a brain may take for a card."""

    brain: Brain | None = None
    language: str = ""
    deadline_s: float = 3.0
    gate: asyncio.Semaphore | None = None
    """How many questions to the brain may be under way at a time."""
    sense: Sense | None = None
    """Nearness of meaning, where its model is installed."""
    pool: Executor | None = None
    """One thread, where turns are read; without one they are read on the event loop."""

    def warm(self) -> None:
        """Load, off the loop, what the first turn would have to wait for. Immediate."""
        if self.pool is not None and self.sense is not None:
            self.pool.submit(self.sense.vector, "hello")

    async def run(self, read: Callable[[], Reading]) -> Reading:
        if self.pool is None:
            return read()
        return await asyncio.get_running_loop().run_in_executor(self.pool, read)


@dataclass(frozen=True, slots=True)
class _Said:
    """A line that is still to be read, and when it came. Not `is_new`: it was said before the coach came."""

    line: TranscriptFinal
    at_ms: float
    is_new: bool


class Coach:
    """Immediate, on the event loop: `catch_up`, `hear`, `coach_now`, `stop`. Cards are emitted as
    CoachingCard events by a task of its own. A brain that is late, malformed or broken leaves the card
    to the local one."""

    def __init__(
        self,
        call_id: str,
        profile: Profile,
        counsel: Counsel,
        emit: Callable[[CallEvent], None],
        now_ms: Callable[[], float],
    ) -> None:
        """`emit` puts an event on the call's timeline, `now_ms` is its media time."""
        self.call_id = call_id
        self.profile = profile
        self.reading: Reading | None = None
        self.cards = Cards(profile.name, emit, now_ms)
        self._counsel = counsel
        self._now_ms = now_ms
        self._reader = Reader(profile, counsel.sense)
        self._lines: deque[Spoken] = deque(maxlen=LINES)
        self._before = Risk()
        self._heard_ms = -1e9
        self._todo: deque[_Said] = deque(maxlen=2 * LINES)
        self._asked = False
        self._task: asyncio.Task[None] | None = None
        self._asking = Asking(counsel, emit, call_id)

    @property
    def risk(self) -> Risk:
        """What the call has shown so far."""
        return self.reading.risk if self.reading is not None else self._before

    def catch_up(self, line: TranscriptFinal) -> None:
        """What was said before the coach was there: it counts, and makes no card."""
        self._take(line, float(line.ended_ms), False)

    def hear(self, line: TranscriptFinal) -> None:
        """A turn was said. A card follows a turn of the caller."""
        self._take(line, self._now_ms(), True)

    def coach_now(self) -> bool:
        """A card for the caller's last turn, though the same was said before. False: nothing was said yet."""
        if self.reading is None and not any(each.line.leg is LegKind.CALLER for each in self._todo):
            return False
        self._asked = True
        self._wake()
        return True

    def stop(self) -> None:
        """No card comes any more. Idempotent."""
        self._todo.clear()
        self._asked = False
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._asking.drop()

    # One line after the other.

    def _take(self, line: TranscriptFinal, at_ms: float, is_new: bool) -> None:
        self._todo.append(_Said(line, at_ms, is_new))
        self._wake()

    def _wake(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name=f"{self.call_id}:coach reads")

    async def _work(self) -> None:
        while self._todo or self._asked:
            news = False
            while self._todo:
                said = self._todo.popleft()
                self._add(said.line, said.at_ms)
                if said.line.leg is LegKind.CALLER:
                    if said.is_new:
                        news = True
                        self._asking.drop()
                    await self._read()
            asked, self._asked = self._asked, False
            if news or asked:
                self._advise(asked)

    async def _read(self) -> None:
        """The caller's last line, against the risk before it. A line that cannot be read changes nothing."""
        language = self.reading.language if self.reading is not None else ""
        line, before = self._lines[-1], self._before
        try:
            self.reading = await self._counsel.run(
                lambda: self._reader.read(line.text, before, language or line.language)
            )
        except Exception:
            _log.exception("the coach could not read a turn", call_id=self.call_id)

    def _add(self, line: TranscriptFinal, now: float) -> None:
        """Keep a line; a caller's that goes on within MERGE_MS becomes one with the one before."""
        last = self._lines[-1] if self._lines else None
        spoken = Spoken(line.leg, line.text, line.turn, line.started_ms, line.ended_ms, line.language)
        if line.leg is not LegKind.CALLER:
            self._lines.append(spoken)
            return
        goes_on = (
            last is not None
            and last.leg is LegKind.CALLER
            and (now - self._heard_ms <= MERGE_MS or line.started_ms - last.ended_ms <= MERGE_MS)
            and len(last.text) + len(line.text) <= LONGEST_TURN
        )
        if goes_on and last is not None:
            whole = f"{last.text} {line.text}"
            self._lines[-1] = Spoken(
                last.leg, whole, line.turn, last.started_ms, line.ended_ms, line.language or last.language
            )
        else:
            self._before = self.risk
            self._lines.append(spoken)
        self._heard_ms = now

    def _advise(self, asked: bool) -> None:
        reading, heard = self.reading, [line for line in self._lines if line.leg is LegKind.CALLER]
        if reading is None or not heard:
            return
        line, counsel = heard[-1], self._counsel
        local = self._local(reading)

        def show(advice: Advice) -> None:
            self.cards.show(advice, line.turn, line.ended_ms, asked=asked and advice.source == wanted)

        wanted = counsel.brain.name if counsel.brain is not None else "local"
        if counsel.brain is None:
            show(local)
            return
        if rank(reading.risk.level) >= HIGH and (reading.new or reading.signs.flags):
            self.cards.show(local, line.turn, line.ended_ms)  # a grave warning waits for nobody
        language = counsel.language or reading.language
        view = View(self.call_id, self.profile, tuple(self._lines), reading, local, language)
        self._asking.ask(view, show)

    def _local(self, reading: Reading) -> Advice:
        last = self.cards.last
        repeated = self.cards.repeated + 1 if last is not None and last.intent == reading.intent.value else 0
        return compose(reading, self.profile.kind, self._counsel.language, repeated)
