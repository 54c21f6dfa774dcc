"""One warm transfer: somebody is found, rung, told about the call in private, connected; or the caller has
the agent back. Obeys the table of steps.py; moves no sound itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from offhook.call.directory import LiveCall
from offhook.desk.warm.briefing import Briefing, brief
from offhook.desk.warm.briefing_words import line
from offhook.desk.warm.ear_voice import EarVoice
from offhook.desk.warm.ports import THE_AGENT, Ask, Briefed, WarmParts
from offhook.desk.warm.questions import read_answer
from offhook.desk.warm.steps import Signal, Step, Steps
from offhook.desk.warm.targets import fitting
from offhook.foundation.consult_events import (
    BY_AGENT,
    ConsultBriefed,
    ConsultChanged,
    ConsultSaid,
    ConsultState,
)
from offhook.foundation.desk_events import LegJoined, LegLeft, StanceChanged
from offhook.foundation.errors import ConflictError, OffhookError
from offhook.foundation.events import CallEnded, Entry, Floor
from offhook.foundation.people import Person, Stance
from offhook.protocols.live_words import message

_log = structlog.get_logger(__name__)
_TALKING = (Floor.GREETING, Floor.THINKING, Floor.SPEAKING, Floor.HOLDING)
_TOLD = {
    ConsultState.DECLINED: "Nobody could take the call now: {who} declined.",
    ConsultState.TIMED_OUT: "Nobody could be reached.",
    ConsultState.ABANDONED: "It came to nothing: the line to your colleague was lost, or it was called off.",
}
_NOTE = "You asked a human colleague to take this call. {what} You go on; promise the caller no transfer now."
_TAKEN = "You asked a human colleague, {who}, to take this call, told them about it, and they have it now."


class Consult:
    """`over` is told once it has ended. `person` is who is rung, or told."""

    def __init__(self, id: str, call: LiveCall, ask: Ask, parts: WarmParts, over: Callable[[], None]) -> None:
        self.id = id
        self.call = call
        self.ask = ask
        self.person: Person | None = None
        self._parts = parts
        self._over = over
        self._steps = Steps()
        self._bridge = call.session.bridge
        self._timeline = call.session.timeline
        self._language = call.session.conversation.language or "en"
        self._began = self._timeline.now_ms()
        self._until = asyncio.get_running_loop().time() + parts.rules.all_s
        self._asked: set[str] = set()
        self._accepted = False
        self._ring_until = 0.0
        self._last = Signal.NOBODY
        self._why = ""
        self._summary = ""
        self._briefing = Briefing()
        self._coach = ask.coach
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._place: Briefed | None = None
        self._voice: EarVoice | None = None
        self._unwatch = self._timeline.watch(self._see)

    @property
    def state(self) -> ConsultState:
        return self._steps.state

    # What people and the agent do.

    def begin(self) -> None:
        self._tell()
        session = self.call.session
        if self._bridge.holder is None:
            self._tasks.append(session.spawn(self._let_wait(), "consult wait"))
        if self._parts.summary is not None:
            self._tasks.append(session.spawn(self._sum_up(), "consult summary"))
        self._do(Step.FIND)

    def rings_for(self, person: Person) -> bool:
        """Whether this person may sit down to be told about the call."""
        return self.state is ConsultState.RINGING and self.person is not None and self.person.id == person.id

    def accept(self, person: Person) -> None:
        """Who is rung comes; saying so again gives no more time.

        Raises ConflictError when it rings for them no more.
        """
        if not self.rings_for(person):
            raise ConflictError("this call does not ring for you any more")
        if self._accepted:
            return
        self._accepted = True
        self._after(self._parts.rules.join_s, Signal.MISSED)
        self._show("consult_over", why="answered")

    def sat(self, place: Briefed) -> None:
        """Who is rung is on the call."""
        self._place = place
        self.signal(Signal.SAT)

    def decline(self, person: Person) -> None:
        """Idempotent."""
        if self.person is not None and self.person.id == person.id:
            self._last = Signal.LAST_DECLINED
            self.signal(Signal.DECLINED, "declined")

    def connect(self, person: Person, coach: bool | None = None) -> None:
        """Raises ConflictError unless this person is being told."""
        briefed = self.state is ConsultState.BRIEFING and self._seated
        if not briefed or self.person is None or self.person.id != person.id:
            raise ConflictError("you are not told about this call now")
        self._coach = self._coach if coach is None else coach
        self.signal(Signal.CONNECT)

    def again(self, person: Person) -> None:
        """Say the briefing once more. Raises ConflictError."""
        if self._voice is None or self.person is None or self.person.id != person.id:
            raise ConflictError("you are not told about this call now")
        self._speak()

    @property
    def _seated(self) -> bool:
        """Whether who is told can be connected: they are there, and so is the caller."""
        here = self._place is not None and not self._place.seat.gone
        return here and self.call.session.end_reason is None

    def signal(self, signal: Signal, why: str = "") -> None:
        before = self.state
        if signal is Signal.CONNECT and not self._seated:
            signal = Signal.LOST  # they said so, and went
        steps = self._steps.feed(signal)
        if self.state is before:
            return
        self._why = why or signal.value
        for step in steps:
            self._do(step)
        if before is not ConsultState.ASKED or self.state is not ConsultState.ASKED:
            self._tell()
        if self._steps.over:
            self.close()

    def close(self) -> None:
        """Nothing is waited for any more. Idempotent."""
        self._unwatch()
        self._quiet()
        self._stop_timer()
        for task in self._tasks:
            task.cancel()
        self._over()

    # What is to be done.

    def _do(self, step: Step) -> None:
        match step:
            case Step.FIND:
                self._tasks.append(self.call.session.spawn(self._find(), "consult find"))
            case Step.RING:
                self._ring()
            case Step.STOP_RING:
                self._stop_timer()
                self._show("consult_over", why=self._why)
            case Step.BRIEF:
                self._brief()
            case Step.EXCUSE:
                self._excuse()
            case Step.CONNECT:
                self._connect()
            case Step.GIVE_BACK:
                self._give_back()
            case Step.LET_GO:
                self._bridge.wait(False)

    async def _find(self) -> None:
        """The next one to be rung."""
        loop = asyncio.get_running_loop()
        try:
            colleagues = await self._parts.finder.colleagues() if loop.time() < self._until else ()
        except OffhookError as error:
            _log.warning("nobody was found", reason=error.reason)
            colleagues = ()
        fit = fitting(self.ask.target, self.call.agent, self.ask.by, colleagues)
        on_call = {seat.person.id for seat in self._bridge.seats if seat.stance is not Stance.LISTEN}
        free = [each for each in fit if each.id not in self._asked | on_call]
        if free:
            self.person = free[0]
            self._asked.add(free[0].id)
            self.signal(Signal.FOUND)
        else:
            self.signal(self._last)

    def _ring(self) -> None:
        self._accepted = False
        self._briefing = self._brief_now()
        ring_s = self._parts.rules.ring_s
        self._ring_until = asyncio.get_running_loop().time() + ring_s
        self._after(ring_s, Signal.MISSED)
        self.show_ring()

    def show_ring(self) -> None:
        """To the consoles of who is rung and has not said to come: also one that was opened just now."""
        if self._accepted:
            return
        left = self._ring_until - asyncio.get_running_loop().time()
        self._show(
            "consult",
            seconds=max(0, round(left)),
            by=self.ask.name,
            reason=self.ask.reason,
            briefing=self._briefing.card(),
        )

    def _brief(self) -> None:
        place = self._place
        assert place is not None
        if self._bridge.holder is None:
            self._bridge.wait(True)
        self._briefing = replace(self._brief_now(), summary=self._summary)
        if self._summary:
            self._briefing = replace(self._briefing, source="llm")
        self._timeline.emit(ConsultBriefed(self.id, self._briefing.source, self._briefing.card()))
        place.seat.on_private = self._heard
        wishes = self._parts.memory.of(place.person)
        self._voice = EarVoice(place.seat, self._parts.voices, wishes, self._language, self._said)
        self._after(self._parts.rules.decide_s, Signal.LATE)
        self._speak()

    def _speak(self) -> None:
        def done(whole: bool) -> None:
            if self.ask.auto and whole:
                asyncio.get_running_loop().call_soon(self.signal, Signal.CONNECT)

        if self._voice is not None:
            self._voice.say(self._briefing.lines(), done)

    def _connect(self) -> None:
        place = self._place
        assert place is not None
        self._quiet()
        self._stop_timer()
        self.call.session.conversation.instruct(_TAKEN.format(who=place.person.name))
        self._bridge.connect(place.seat)
        if self._coach:
            place.coached()

    def _excuse(self) -> None:
        """Who was told leaves the call; the caller heard nothing of them."""
        place, self._place = self._place, None
        self._quiet()
        self._stop_timer()
        if place is not None:
            place.seat.leave()

    def _give_back(self) -> None:
        self._quiet()
        self._stop_timer()
        session = self.call.session
        if session.end_reason is not None:
            return
        who = self.person.name if self.person is not None else "your colleague"
        session.conversation.instruct(_NOTE.format(what=_TOLD[self.state].format(who=who)))
        if self._bridge.holder is not None:
            return  # an operator has the caller, and heard how it went
        cancelled = self._why == Signal.CANCELLED
        text = line("cancelled" if cancelled else self.state, self._language)
        if self._bridge.waits:
            self._bridge.give_back(text)
        elif not self._bridge.seats:
            session.conversation.say_line(text)  # the agent had not finished its sentence

    # What the one who is told says.

    def _said(self, text: str) -> None:
        self._timeline.emit(ConsultSaid(self.id, False, text))

    def _heard(self, text: str) -> None:
        """In private: a question, or a decision."""
        if self.state is not ConsultState.BRIEFING or self._voice is None or self.person is None:
            return
        self._timeline.emit(ConsultSaid(self.id, True, text))
        loop = asyncio.get_running_loop()
        match read_answer(text):
            case "connect":
                loop.call_soon(self.signal, Signal.CONNECT)
            case "decline":
                loop.call_soon(self.decline, self.person)
            case "again":
                self._speak()
            case "":
                self._voice.say([self._briefing.word("unclear")])
            case about:
                self._voice.say([self._briefing.answer(about) or self._briefing.word("nothing")])

    # Within.

    async def _let_wait(self) -> None:
        """The caller waits once the agent has said that it asks somebody."""
        conversation = self.call.session.conversation
        loop = asyncio.get_running_loop()
        until = loop.time() + self._parts.rules.say_s
        if self.ask.by == BY_AGENT:
            while conversation.floor in _TALKING and loop.time() < until:  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.05)
        if not self._steps.over and self.state is not ConsultState.BRIEFING:
            self._bridge.wait(True)
            if self.ask.by != BY_AGENT:
                self._bridge.announce(line("asking", self._language))

    async def _sum_up(self) -> None:
        assert self._parts.summary is not None
        try:
            async with asyncio.timeout(self._parts.rules.summary_s):
                self._summary = await self._parts.summary(self.call, self._language)
        except (OffhookError, TimeoutError):
            _log.info("the briefing is the local one: no summary in time")

    def _brief_now(self) -> Briefing:
        return brief(
            self._timeline.recent,
            language=self._language,
            caller=self.call.arrival.caller,
            agent=self.call.agent,
            seconds=int(self._timeline.now_ms() / 1000),
            reason=self.ask.reason,
            before=self._parts.before(self.call.id),
        )

    def _see(self, entry: Entry) -> None:
        """What happens on the call. Acts later: whoever tells of it is in the middle of something."""
        soon = asyncio.get_running_loop().call_soon
        seat = self._place.seat.id if self._place is not None else ""
        match entry.event:
            case CallEnded():
                soon(self.signal, Signal.TAKEN, "the call is over")
            case LegLeft(seat=left) if left == seat:
                soon(self.signal, Signal.LOST, "they are gone")
            case LegJoined(seat=taker, stance=Stance.TAKE_OVER) if taker != seat:
                soon(self.signal, Signal.TAKEN, "somebody took the call over")
            case StanceChanged(seat=taker, stance=Stance.TAKE_OVER) if taker != seat:
                soon(self.signal, Signal.TAKEN, "somebody took the call over")

    def _after(self, seconds: float, signal: Signal) -> None:
        self._stop_timer()

        def late() -> None:
            if signal is Signal.MISSED:
                self._last = Signal.LAST_MISSED
            self.signal(signal)

        self._timer = asyncio.get_running_loop().call_later(seconds, late)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _quiet(self) -> None:
        voice, self._voice = self._voice, None
        if voice is not None:
            voice.stop()

    def _show(self, kind: str, **fields: object) -> None:
        if self.person is not None:
            raw = message(kind, id=self.id, call_id=self.call.id, **fields)
            self._parts.finder.show(self.person.id, raw)

    def _tell(self) -> None:
        person, place = self.person, self._place
        known = (person.id, person.name) if person is not None else ("", "")
        seat = place.seat.id if place is not None else ""
        target = str(self.ask.target)
        event = ConsultChanged(self.id, self.state, self.ask.by, target, *known, seat, self._why, self._coach)
        self._timeline.emit(event)
        detail = {"consult": self.id, "state": self.state.value, "for": target}
        if person is not None:
            detail["asked"] = person.id
        self._parts.note(self.ask.person or THE_AGENT, "warm_transfer", self.call.id, **detail)
