"""A house with rules and a queue on virtual time: several agents, scripted callers, real bridges."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.call.conftest import AGENT, Replies, Stage
from tests.call.human_stage import Headset

from offhook.audio.frame import PHONE
from offhook.call.directory import LiveCall
from offhook.call.seat import Seat
from offhook.center.conditions import INTENT, Word
from offhook.center.moves import Habits, Router
from offhook.center.onward import Onward
from offhook.center.people import Skills
from offhook.center.queue_desk import QueueDesk
from offhook.center.queue_words import QueueRules
from offhook.center.routing import Rule, Table, Target, TargetKind
from offhook.center.staff import Staff
from offhook.center.waiting import Queue
from offhook.channels.base import Arrival
from offhook.foundation.agent import Agent
from offhook.foundation.events import ChannelKind
from offhook.foundation.people import Person, Role, Stance

FRONT = replace(
    AGENT, name="front", greeting="Front desk, hello.", voice="", hand_over="Back at the front desk."
)
SALES = replace(
    AGENT,
    name="sales",
    greeting="Sales, hello.",
    voice="v-sales",
    hand_over="This is sales.",
    persona="You sell.",
)
BILLING = replace(AGENT, name="billing", voice="v-billing", hand_over="", persona="You bill.")
ARABIC = replace(
    AGENT,
    name="arabic",
    language="ar",
    languages=["en"],
    greeting="مرحبا",
    hand_over="أهلا",
    persona="Arabic.",
)
AGENTS = {agent.name: agent for agent in (FRONT, SALES, BILLING, ARABIC)}
ANN = Person("ann", "Ann", Role.OPERATOR)
BOB = Person("bob", "Bob", Role.OPERATOR)
SUPPORT = Queue(QueueRules("support", ring_s=10, max_wait_s=60, unstaffed_s=30, announce_s=20))


class Console:
    """An operator's open console."""

    def __init__(self, person: Person) -> None:
        self.person, self.session = person, f"session-{person.id}"
        self.shown: list[dict[str, Any]] = []
        self.ejected = False

    def show(self, raw: bytes) -> None:
        self.shown.append(json.loads(raw))

    def eject(self) -> None:
        self.ejected = True

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.shown if message["type"] == kind]


class Intents:
    """Reads what a test says is meant."""

    def __init__(self) -> None:
        self.meant: dict[str, tuple[str, float]] = {}
        self.read_texts: list[str] = []

    async def read(self, text: str, language: str = "") -> tuple[str, float]:
        self.read_texts.append(text)
        return self.meant.get(text, ("", 0.0))

    def close(self) -> None: ...


class Wishes:
    def __init__(self) -> None:
        self.kept: list[tuple[str, str, str]] = []

    def keep(self, call: LiveCall, queue: str, number: str, language: str) -> None:
        self.kept.append((queue, number, language))


class CenterStage(Stage):
    """`texts` is what the caller says, turn by turn; the model answers with `llm`."""

    def __init__(
        self,
        rules: Sequence[Rule] = (),
        queues: Mapping[str, Queue] | None = None,
        texts: Sequence[str] = (),
        llm: Replies | None = None,
        agents: Mapping[str, Agent] = AGENTS,
        **habits: Any,
    ) -> None:
        super().__init__(FRONT, llm, texts)
        self.tts.voices = lambda: ("hum", "v-sales", "v-billing")  # type: ignore[method-assign]
        self.intents, self.wishes = Intents(), Wishes()
        self.staff = Staff(self.clock.now)
        self.queues = QueueDesk(
            queues or {"support": SUPPORT}, self.staff, lambda person: Skills(), self.clock.now
        )
        self.staff.wrap_up = self.queues.wrap_up
        self.queues.onward = Onward(self.directory, self.wishes, self.queues.enter, {})
        habits = {"wall": self.clock.wall, "hand_overs": 3, **habits}
        self.router = Router(
            Habits(Table(list(rules)), **habits),
            self.directory,
            self.queues,
            self.intents,  # type: ignore[arg-type]
        )
        self.directory.route = self.router.route
        self.directory._house = replace(
            self.directory._house,
            agents=dict(agents),
            default_agent="front",
            followers=lambda line: (*self.router.follow(line), *self.queues.follow(line)),
        )

    async def arrive(
        self, arrival: Arrival | None = None, kind: ChannelKind = ChannelKind.PHONE
    ) -> CenterStage:
        for agent in self.directory._house.agents.values():
            await self.factory.prepare(agent, PHONE)
        self.line.kind = kind
        self.call_id, self.line.listener = self.directory.arrive(self.line, arrival or Arrival())
        await self.settle()
        return self

    @property
    def call(self) -> LiveCall:
        call = self.directory.get(self.call_id)
        assert call is not None
        return call

    def kinds(self, *kinds: str) -> list[dict[str, Any]]:
        return [entry.as_json() for entry in self.line.entries if entry.event.kind in kinds]

    def said(self) -> list[str]:
        """The agents' lines that were heard."""
        return [each["text"] for each in self.kinds("transcript_final") if each["leg"] == "agent"]

    def sit(self, person: Person, stance: Stance = Stance.TAKE_OVER) -> Seat:
        return self.session.bridge.seat(person, Headset(_Now(self)), stance)

    async def tend(self, ms: int) -> None:
        """Time passes, and the queues are looked after."""
        for _ in range(ms // 250):
            await self.wait(250)
            self.queues.step()
            await self.settle()


class _Now:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def now_ms(self) -> float:
        return self._stage.clock.now() * 1000


def to(kind: str, name: str = "") -> Target:
    return Target(TargetKind(kind), name)


def wants(intent: str, target: Target, name: str = "") -> Rule:
    """A rule for callers who want this."""
    return Rule(name or intent, target, (Word(INTENT, lambda s: s.intent, (intent,)),), live=True)


BILLS = wants("billing", to("agent", "billing"))


async def houses() -> AsyncIterator[Callable[..., CenterStage]]:
    """A fixture: makes houses with these rules; no call is left of them."""
    stages: list[CenterStage] = []

    def make(*rules: Rule, **more: Any) -> CenterStage:
        stages.append(CenterStage(rules, **more))
        return stages[-1]

    yield make
    for stage in stages:
        await stage.directory.close(grace_s=0)
        assert stage.vad.opened == 0
