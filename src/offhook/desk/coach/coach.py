"""The coach of one call: follows what is said and makes cards. Knows no sockets, no seats, no vendors."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from offhook.desk.coach.advice import Advice, compose
from offhook.desk.coach.asking import Asking
from offhook.desk.coach.brain import Brain, Spoken, View
from offhook.desk.coach.cards import Cards
from offhook.desk.coach.profile import Profile
from offhook.desk.coach.reading import Reader, Reading
from offhook.desk.coach.risk import Risk, rank
from offhook.foundation.events import CallEvent, LegKind, TranscriptFinal

MERGE_MS = 400
"""A caller's turn that comes or begins so soon after the one before is part of it."""
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


class Coach:
    """Immediate, on the event loop: `hear`, `coach_now`, `stop`. Cards are emitted as CoachingCard events,
    never from within `hear`. Brains fail to the local card: late, malformed, never or with an exception."""

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
        self._reader = Reader(profile)
        self._lines: deque[Spoken] = deque(maxlen=LINES)
        self._before = Risk()
        self._heard_ms = -1e9
        self._timer: asyncio.Handle | None = None
        self._asking = Asking(counsel, emit, call_id)

    @property
    def risk(self) -> Risk:
        """What the call has shown so far."""
        return self.reading.risk if self.reading is not None else self._before

    def catch_up(self, line: TranscriptFinal) -> None:
        """What was said before the coach was there: it counts, and makes no card. Up to 1 ms a line."""
        self._add(line, float(line.ended_ms))
        if line.leg is LegKind.CALLER:
            self._read()

    def hear(self, line: TranscriptFinal) -> None:
        """A turn was said. A card follows a turn of the caller."""
        self._add(line, self._now_ms())
        if line.leg is LegKind.CALLER:
            self._read()
            self._soon(asked=False)

    def coach_now(self) -> bool:
        """A card for the caller's last turn, though the same was said before. False: nothing was said yet."""
        if self.reading is None:
            return False
        self._soon(asked=True)
        return True

    def stop(self) -> None:
        """No card comes any more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        self._asking.drop()

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

    def _read(self) -> None:
        """The caller's last line, against the risk before it."""
        language = self.reading.language if self.reading is not None else ""
        line = self._lines[-1]
        self.reading = self._reader.read(line.text, self._before, language or line.language)

    def _soon(self, asked: bool) -> None:
        """After what is being told now: an event may not be emitted while another one is."""
        self._asking.drop()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_soon(self._advise, asked)

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
