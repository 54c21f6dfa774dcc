"""Gives each live call a coach while somebody is seated who may be coached, else a lookout. Seats nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from offhook.call.timeline import Timeline
from offhook.desk.coach.brain import Brain
from offhook.desk.coach.coach import Coach, Counsel
from offhook.desk.coach.lookout import Lookout
from offhook.desk.coach.profile import SHIPPED, Profile
from offhook.foundation.center_events import HandedOver
from offhook.foundation.desk_events import CoachingCard, LegJoined, LegLeft, StanceChanged
from offhook.foundation.errors import ConflictError, RefusedError
from offhook.foundation.events import CallEnded, CallStarted, Entry, LegKind, TranscriptFinal
from offhook.foundation.people import Stance

CATCH_UP = 60
"""Lines of what was said before that a new coach reads."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a house coaches. `profile_of` is the profile that an agent names, by the agent's name; `default`
    serves the rest. `stances` are those whose humans are coached."""

    profiles: Mapping[str, Profile] = field(default_factory=lambda: SHIPPED)
    default: str = "support"
    profile_of: Mapping[str, str] = field(default_factory=dict)
    stances: frozenset[Stance] = frozenset({Stance.JOIN, Stance.TAKE_OVER})

    def profile(self, agent: str) -> Profile:
        return self.profiles[self.profile_of.get(agent) or self.default]


class CoachDesk:
    """Of one process. `follow` is told of every call as it begins."""

    def __init__(self, rules: Rules, counsel: Counsel) -> None:
        self._rules = rules
        self._counsel = counsel
        self._calls: dict[str, CoachedCall] = {}

    def __len__(self) -> int:
        """Calls with a coach now."""
        return sum(call.coach is not None for call in self._calls.values())

    def follow(self, timeline: Timeline) -> Callable[[Entry], None]:
        """The sink of a call that begins."""
        call = CoachedCall(timeline, self._rules, self._counsel, self._forget)
        self._calls[timeline.call_id] = call
        return call

    def coach(self, call_id: str) -> Coach | None:
        """The coach of a live call, if it has one now."""
        call = self._calls.get(call_id)
        return call.coach if call is not None else None

    def coach_now(self, call_id: str) -> None:
        """A card about the caller's last turn. Raises RefusedError, ConflictError."""
        coach = self.coach(call_id)
        if coach is None:
            raise RefusedError("there is no coach on this call")
        if not coach.coach_now():
            raise ConflictError("the caller has said nothing yet")

    @property
    def brain(self) -> Brain | None:
        """A model that thinks for the coach, where there is one."""
        return self._counsel.brain

    def last_card(self, call_id: str) -> CoachingCard | None:
        """The card that stands."""
        coach = self.coach(call_id)
        return coach.cards.last if coach is not None else None

    async def close(self) -> None:
        """No coach is left; the brain is closed."""
        for call in tuple(self._calls.values()):
            call.close()
        self._calls.clear()
        if self._counsel.pool is not None:
            self._counsel.pool.shutdown(wait=False, cancel_futures=True)
        if self._counsel.brain is not None:
            await self._counsel.brain.close()

    def _forget(self, call_id: str) -> None:
        self._calls.pop(call_id, None)


class CoachedCall:
    """The sink of one call: its seats, and its coach while there are some to be coached; its lookout while
    there are none."""

    def __init__(
        self, timeline: Timeline, rules: Rules, counsel: Counsel, ended: Callable[[str], None]
    ) -> None:
        self._timeline = timeline
        self._rules = rules
        self._counsel = counsel
        self._ended = ended
        self._agent = ""
        self._seats: dict[str, Stance] = {}
        self.coach: Coach | None = None
        self._lookout: Lookout | None = None

    def __call__(self, entry: Entry) -> None:
        match entry.event:
            case TranscriptFinal() as line:
                self._hear(line)
            case LegJoined(leg=LegKind.GUEST) | LegLeft(leg=LegKind.GUEST):
                pass  # of the caller's party: nobody to be coached
            case LegJoined(seat=seat, stance=stance) | StanceChanged(seat=seat, stance=stance):
                self._seats[seat] = stance
                self._check()
            case LegLeft(seat=seat):
                self._seats.pop(seat, None)
                self._check()
            case CallStarted(agent=agent) | HandedOver(target=agent):
                self._answered_by(agent)
            case CallEnded():
                self.close()
                self._ended(self._timeline.call_id)

    def stop(self) -> None:
        """The coach goes. What was said stays on the timeline, for the next one."""
        if self.coach is not None:
            self.coach.stop()
            if self._lookout is not None:
                self._lookout.risk = self.coach.risk
            self.coach = None

    def _answered_by(self, agent: str) -> None:
        """This agent has the call; what was seen so far counts on."""
        self._agent = agent
        profile, before = self._rules.profile(agent), self._lookout
        self._look_away()
        if profile.lookout:
            self._lookout = Lookout(self._timeline.call_id, profile, self._counsel, self._timeline.emit)
            if before is not None:
                self._lookout.risk = before.risk

    def close(self) -> None:
        """Nobody reads this call any more. Idempotent."""
        self.stop()
        self._look_away()

    def _look_away(self) -> None:
        if self._lookout is not None:
            self._lookout.stop()
            self._lookout = None

    def _check(self) -> None:
        wanted = any(stance in self._rules.stances for stance in self._seats.values())
        if wanted and self.coach is None:
            self._begin()
        elif not wanted:
            self.stop()

    def _begin(self) -> None:
        """A coach who has heard what was said so far, and a card on it for whoever has just come."""
        self._counsel.warm()
        timeline = self._timeline
        profile = self._rules.profile(self._agent)
        self.coach = Coach(timeline.call_id, profile, self._counsel, timeline.emit, timeline.now_ms)
        said = [e.event for e in timeline.recent if isinstance(e.event, TranscriptFinal)]
        for line in said[-CATCH_UP:]:
            self.coach.catch_up(line)
        self.coach.coach_now()

    def _hear(self, line: TranscriptFinal) -> None:
        if self.coach is not None:
            self.coach.hear(line)
        elif self._lookout is not None and line.leg is LegKind.CALLER:
            self._lookout.hear(line)
