"""A call with a warm desk, in virtual time: fake consoles and voices, everything between them for real."""

from __future__ import annotations

import asyncio
import json

from tests.call.human_stage import HERTZ, Tone

from offhook.desk.ear import EarMemory
from offhook.desk.narration import Narration
from offhook.desk.warm.ports import WarmParts, WarmRules
from offhook.desk.warm.targets import Colleague
from offhook.desk.warm.warm_desk import WarmDesk
from offhook.foundation.consult_events import ConsultChanged, ConsultState
from offhook.foundation.errors import LimitError
from offhook.foundation.events import LegKind, TranscriptFinal
from offhook.foundation.people import Person, Role, Stance

ANN = Person("operator", "Ann", Role.OPERATOR)
SUE = Person("supervisor", "Sue", Role.SUPERVISOR)
RULES = WarmRules(ring_s=0.3, join_s=0.3, decide_s=5.0, all_s=5.0, say_s=1.0, summary_s=0.1)
S = ConsultState


class Voices:
    """Every line is the coach's tone, for `ms`."""

    def __init__(self):
        self.lines, self.left, self.error, self.ms = [], 0, "", 500

    def begin(self, wanted):
        self.lines.append(wanted.text)
        narration = Narration(wanted)
        narration.audio += b"" if self.error else Tone(HERTZ["coach"], wanted.format).take(self.ms)
        narration.end(self.error)
        return narration

    def leave(self, narration):
        self.left += 1


class Consoles:
    def __init__(self, *people):
        self.people = [
            Colleague(person, True, True, frozenset({"support"}), at) for at, person in enumerate(people)
        ]
        self.shown, self.down = [], False

    async def colleagues(self):
        if self.down:
            raise LimitError("the other process does not answer")
        return self.people

    def show(self, person_id, raw):
        self.shown.append((person_id, json.loads(raw)))

    def kinds(self, person_id):
        return [shown["type"] for who, shown in self.shown if who == person_id]


class Place:
    """As desk.place.Place, on a stage's seat."""

    def __init__(self, human):
        self.seat, self.person, self.has_coach = human.seat, human.seat.person, False

    def coached(self):
        self.has_coach = True


class Warm:
    """A call, its humans, and the warm desk."""

    def __init__(self, humans, *people, rules=RULES, summary=None):
        self.humans, self.voices, self.consoles, self.notes = humans, Voices(), Consoles(*people), []

        def note(person, action, call_id="", **detail):
            self.notes.append((person.id, action, detail))

        parts = WarmParts(self.consoles, self.voices, EarMemory(), note, rules, summary, lambda call_id: 1)
        directory = humans.stage.directory
        self.desk = WarmDesk(parts, directory.get, lambda agent: "queue:support")
        self.call = next(iter(directory))
        self.call.session.timeline.add(*self.desk.follow(self.call.session.timeline))

    @property
    def bridge(self):
        return self.humans.bridge

    @property
    def states(self):
        return [event.state for event in self.humans.events(ConsultChanged)]

    def ask(self, to="anyone", by=SUE, **options):
        given = {"reason": "a refund", "coach": True, "auto": False} | options
        self.desk.ask(by, self.call, to, **given)

    async def until(self, state, ms=4000):
        """Real time for timers and virtual time for the call go on together."""
        for _ in range(ms // 20):
            if self.states and self.states[-1] is state:
                return
            await self.humans.run(20)
            await asyncio.sleep(0.002)
        raise AssertionError(f"not {state}: {self.states}")

    async def sit(self, name="operator", stance=Stance.CONSULT):
        human = self.humans.join(name, stance)
        human.mic.peak = 0.0
        place = Place(human)
        if stance is Stance.CONSULT:
            self.desk.sat(place, self.call.id)
        return human, place

    async def briefed(self, **options):
        self.ask(**options)
        await self.until(S.RINGING)
        self.desk.check(ANN, self.call.id)
        self.desk.accept(ANN, self.call.id)
        human, place = await self.sit()
        assert self.states[-1] is S.BRIEFING
        return human, place

    def said(self):
        return [f.text for f in self.humans.events(TranscriptFinal) if f.leg is LegKind.AGENT]
