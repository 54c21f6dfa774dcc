"""Who hears whom on one call, and who conducts it: seats of humans, their stances, holding, lines to be said.

It obeys the table of call/modes.py and nothing else. The sound itself is moved by call/sound_bridge.py.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import AudioFormat
from offhook.audio.resample import resample_clip
from offhook.call.dialogue import Dialogue, Stage
from offhook.call.hears import who_hears
from offhook.call.hold_audio import Pattern
from offhook.call.human_hearing import Discreet, HumanHearing, TurnCounter
from offhook.call.legs import CallerLeg
from offhook.call.modes import HEARS, TALKS, Part, mode_of
from offhook.call.seat import Seat
from offhook.call.sound_bridge import SPOKEN, SoundBridge, Taping
from offhook.channels.base import Channel
from offhook.engines.base import Clause
from offhook.foundation.desk_events import (
    Instructed,
    LegJoined,
    LegLeft,
    ModeChanged,
    SaidFor,
    StanceChanged,
)
from offhook.foundation.errors import ConflictError, LimitError, RefusedError
from offhook.foundation.events import EndReason, LegKind, Notice
from offhook.foundation.people import Mode, Person, Role, Stance

MAX_SEATS = 4
LAST_WORDS_S = 2.0
MAKE_WAY_MS = 640
"""A human who has joined and talks over the agent for so long means to be heard: as a caller."""
WORDLESS_MS = 1_500
"""And for so long, where no words of it are known yet: it may be the agent, come back by a loudspeaker."""
BABBLE_MS = 10_000
"""What sounds for so long without a pause is no speech."""
_TAKEN = "somebody else has taken over this call"


class Floorboard(Stage, Protocol):
    """What a bridge needs of the session that it is on."""

    @property
    def caller_channel(self) -> Channel: ...

    @property
    def conversation(self) -> Dialogue: ...

    @property
    def tape_human(self) -> Taping: ...

    def attend(self) -> None:
        """The conversation's `hear` changed."""

    def bridged(self, on: bool) -> None:
        """Whether the bridge wants ticks, and the legs' sound."""


class Bridge:
    """All on the event loop, all immediate. `seats` in the order they were taken; `holder` has taken over."""

    def __init__(self, stage: Floorboard) -> None:
        self._stage = stage
        self._timeline = stage.timeline
        self._turns = TurnCounter()
        self._taken = 0
        self._held = False
        self._speaks_for = False
        self._line = False
        self._lost = False
        self._back = ""
        self._closed = False
        self._waits = False
        self._last_words: set[asyncio.Task[None]] = set()
        self.mode = Mode.AGENT
        self.seats: tuple[Seat, ...] = ()
        self.sound = SoundBridge(
            stage.caller_channel, stage.playback, stage.timeline, stage.tape_human, stage.fittings.hold
        )

    @property
    def holder(self) -> Seat | None:
        """Who has taken over."""
        return next((seat for seat in self.seats if seat.stance is Stance.TAKE_OVER), None)

    # Humans come, change what they do, and go.

    def seat(self, person: Person, channel: Channel, stance: Stance, leg: LegKind | None = None) -> Seat:
        """Take a human onto the call; `leg` is OPERATOR or SUPERVISOR, by the person's role where it is not
        given. Raises LimitError (no seat is free, the call ends), ConflictError (somebody else has taken
        over)."""
        if self._closed:
            raise LimitError("this call is over", retryable=False)
        if len(self.seats) >= MAX_SEATS:
            raise LimitError(f"this call has {MAX_SEATS} people on it, no more fit")
        self._check(stance)
        kind = leg or (LegKind.SUPERVISOR if person.role is Role.SUPERVISOR else LegKind.OPERATOR)
        self._taken += 1
        seat = Seat(self, f"s{self._taken}", person, kind, channel, stance)
        self._hear(seat)
        self.seats += (seat,)
        self._stage.bridged(True)
        self.sound.add(seat)
        self._timeline.emit(LegJoined(seat.id, seat.leg, person.id, person.name, stance))
        self._settle()
        return seat

    def set_stance(self, seat: Seat, stance: Stance) -> None:
        """Raises ConflictError. From TAKE_OVER to anything else is the hand back."""
        if seat.gone or seat.stance is stance:
            return
        self._check(stance)
        if seat.stance is Stance.TAKE_OVER:
            self._speaks_for = self._held = self._line = False
        before, seat.stance = seat.stance, stance
        if Stance.CONSULT in (before, stance):
            self._hear_anew(seat)
        elif stance not in TALKS and seat.hearing is not None:
            seat.hearing.hush()
        self._timeline.emit(StanceChanged(seat.id, seat.person.id, stance))
        self._settle()

    def connect(self, seat: Seat) -> None:
        """Who was consulted has taken over from now on, with whoever had the call listening. Raises
        ConflictError."""
        if self._closed or seat.gone or seat.stance is not Stance.CONSULT:
            raise ConflictError("nobody is told about this call now")
        holder = self.holder
        self._held = self._waits = self._line = self._speaks_for = False
        if holder is not None:
            holder.stance = Stance.LISTEN
            if holder.hearing is not None:
                holder.hearing.hush()
        seat.stance = Stance.TAKE_OVER
        self._hear_anew(seat)
        if holder is not None:
            self._timeline.emit(StanceChanged(holder.id, holder.person.id, Stance.LISTEN))
        self._timeline.emit(StanceChanged(seat.id, seat.person.id, Stance.TAKE_OVER))
        self._settle()

    def muted(self, seat: Seat) -> None:
        """A human switched the microphone off, or on again."""
        if seat.gone:
            return
        if seat.muted and seat.hearing is not None:
            seat.hearing.hush()
        self._tell()

    def leave(self, seat: Seat, lost: bool = False) -> None:
        """A human goes, or is `lost`; one who had taken over hands back by that. Idempotent."""
        if seat.gone:
            return
        seat.gone = True
        seat.ear.stop()
        self.seats = tuple(other for other in self.seats if other is not seat)
        self.sound.remove(seat)
        self._stop_hearing(seat)
        self._timeline.emit(LegLeft(seat.id, seat.leg, seat.person.id, lost))
        if seat.stance is Stance.TAKE_OVER:
            self._speaks_for = self._line = self._held = False
            self._lost = lost
        if not self.seats:
            self._held = False
        self._settle()
        self._lost = False
        seat.channel.hang_up(EndReason.CALLER_HUNG_UP if not lost else EndReason.PEER_LOST)

    def close(self, reason: EndReason) -> None:
        """The call is over: all humans go."""
        if self._closed:
            return
        self._closed = True
        for seat in self.seats:
            seat.gone = True
            seat.ear.stop()
            self._stop_hearing(seat)
            self._timeline.emit(LegLeft(seat.id, seat.leg, seat.person.id))
            seat.channel.hang_up(reason)
        self.seats = ()
        self.sound.close()

    async def finish(self) -> None:
        """What humans were saying when the call ended still belongs to the transcript."""
        if self._last_words:
            await asyncio.wait(self._last_words, timeout=LAST_WORDS_S)

    def _stop_hearing(self, seat: Seat) -> None:
        if seat.hearing is None:
            return
        self._stage.fittings.rest(seat.hearing)
        task = seat.hearing.close()
        if task is not None:
            self._last_words.add(task)
            task.add_done_callback(self._last_words.discard)

    # What a human has done to the call.

    def hold(self, on: bool) -> None:
        """The caller waits, and hears that; nobody else is heard."""
        if self._held is not on and not self._closed:
            self._held = on
            self._settle()

    @property
    def waits(self) -> bool:
        """Whether the caller waits for a human: hold audio, until one talks."""
        return self._waits and not any(seat.stance in TALKS for seat in self.seats)

    def wait(self, on: bool, pattern: Pattern | None = None) -> None:
        """The caller waits for a human, or no more, and hears `pattern` meanwhile. Idempotent."""
        if on:
            self.sound.hold_with(pattern)
        if self._closed or self._waits is on:
            return
        self._waits = on
        self._line = False
        self._settle()

    def give_back(self, line: str) -> None:
        """The agent goes on with a caller who waited in vain: it says `line`, then answers who spoke last."""
        if self._waits and not self._closed:
            self._waits = self._line = False
            self._back = line
            self._settle()
            self._back = ""

    def announce(self, text: str) -> bool:
        """Tell a caller who waits something, in the agent's voice; False when it cannot be said now."""
        if self._closed or self._held or not self.waits or not self._stage.conversation.able:
            return False
        self._line = True
        self._settle()
        self._stage.conversation.say_line(text)
        return True

    def speak_for(self, on: bool) -> None:
        """The agent speaks, and answers, for the one who took over. Raises ConflictError without one."""
        if on and self.holder is None:
            raise ConflictError("nobody has taken over this call")
        if self._speaks_for is not on:
            self._speaks_for = on
            self._settle()

    def say(self, text: str, by: Person) -> None:
        """The agent's voice says exactly this to the caller. Raises RefusedError when it cannot."""
        self._check_voice()
        self._timeline.emit(SaidFor(by.id, text))
        self._say(text, ())

    def inject(self, name: str, audio: bytes, format: AudioFormat, by: Person) -> None:
        """A prepared clip, heard by the caller in the agent's place. Raises RefusedError, WireError."""
        self._check_voice()
        own = self._stage.caller_channel.format
        samples = resample_clip(to_samples(audio, format.encoding), format.rate, own.rate)
        self._timeline.emit(SaidFor(by.id, "", name))
        self._stage.conversation.instruct(f"A prepared recording named {name!r} was played to the caller.")
        self._say(name, (Clause("", to_bytes(samples, own.encoding)),))

    def instruct(self, text: str, by: Person) -> None:
        """The agent is told this; the caller does not hear it."""
        self._timeline.emit(Instructed(by.id, text))
        self._stage.conversation.instruct(text)

    # Time.

    def tick(self, now_ms: float) -> None:
        """Every 20 ms, while there are seats or the caller's sound is still mixed."""
        if self._line and not self._stage.conversation.saying:
            self._line = False
            self._settle()
        if self.sound.on or self.seats:
            self._attend_to_voices()
        self.sound.tick(now_ms)
        if not self.seats and not self.sound.on:
            self._stage.bridged(False)

    def _attend_to_voices(self) -> None:
        """While a human speaks with the caller the agent's voice is low and begins no answer."""
        speaks = False
        if self.mode is Mode.JOIN:
            for seat in self.seats:
                if seat.stance in TALKS and not seat.muted and seat.speaking:
                    speaks = True
                    self._make_way(seat)
        self._stage.conversation.aside.hushed = speaks
        self.sound.duck(speaks)

    def _make_way(self, seat: Seat) -> None:
        """The agent stops for a human who goes on talking over it, as it does for the caller."""
        hearing = seat.hearing
        if hearing is None or not MAKE_WAY_MS <= hearing.spoken_ms <= BABBLE_MS:
            return
        if hearing.text:
            self._stage.conversation.make_way(hearing.text)
        elif hearing.spoken_ms >= WORDLESS_MS:
            self._stage.conversation.make_way(None)

    # Within.

    def _check(self, stance: Stance) -> None:
        if stance is Stance.TAKE_OVER and self.holder is not None:
            raise ConflictError(_TAKEN)

    def _check_voice(self) -> None:
        if self._closed or not self._stage.conversation.able:
            raise RefusedError("the agent's voice cannot be had on this call now")
        if self._held:
            raise ConflictError("the call is on hold")
        if self.mode is Mode.CONSULT:
            raise ConflictError("the caller waits while somebody is told about the call")

    def _say(self, text: str, sound: tuple[Clause, ...]) -> None:
        if self.mode in (Mode.TAKEOVER, Mode.HOLD):  # on hold: the caller waits for a human
            self._line = True
            self._settle()
        self._stage.conversation.say_line(text, sound)

    def _settle(self) -> None:
        """Bring mode, routes and the agent's part to where the stances put them."""
        stances = [seat.stance for seat in self.seats]
        dialogue = self._stage.conversation
        speaks = self._speaks_for or self._line
        mode = mode_of(stances, held=self._held, agent_speaks=speaks, waits=self.waits)
        answers = mode in (Mode.AGENT, Mode.JOIN) or (mode is Mode.SAY and self._speaks_for)
        if answers and dialogue.aside.away and not dialogue.able:
            self._timeline.emit(Notice("nobody can answer the caller now: the call is on hold"))
            self._held, mode, answers = True, Mode.HOLD, False
        changed = mode is not self.mode
        self.mode = mode
        if mode is not Mode.AGENT:
            self._stage.bridged(True)
        self.sound.route(mode, self._timeline.now_ms())
        if answers:
            dialogue.step_in(back=self._lost, line=self._back)
        else:
            dialogue.step_aside()
            if mode is not Mode.SAY:
                dialogue.drop_lines()
        self._stage.attend()
        for seat in self.seats:
            seat.ear.open = Part.COACH in HEARS[mode].get(seat.part, frozenset())
            if not seat.ear.open:
                seat.ear.stop()
        if changed or self.seats or self._taken:
            self._tell()

    def _tell(self) -> None:
        holder = self.holder
        at_ms = int(self._timeline.now_ms())
        self._timeline.emit(ModeChanged(self.mode, holder.id if holder else "", at_ms, self.hears()))

    def hears(self) -> dict[str, list[str]]:
        """Who hears whom now, by kind of leg: ear → sources."""
        return who_hears(self.mode, self.seats)

    def _hear_anew(self, seat: Seat) -> None:
        """What was said in private stays there, what is said from now on is of the call; or the reverse."""
        self._stop_hearing(seat)
        seat.hearing = None
        self._hear(seat)

    def _hear(self, seat: Seat) -> None:
        """Give a seat a recognizer's ear of its own."""
        fittings = self._stage.fittings
        if fittings.stt is None:
            return
        leg = CallerLeg(SPOKEN, lambda at, audio: None)
        private = seat.stance is Stance.CONSULT

        def said(text: str) -> None:
            if not private:
                self._stage.conversation.aside.overhear(text)

        def turn(number: int, text: str) -> None:
            if private and seat.stance is Stance.CONSULT:
                seat.on_private(text)
            elif not private and not self._closed:
                self._stage.conversation.tell(seat.leg, text)

        told = Discreet(self._timeline) if private else self._timeline
        turns = TurnCounter() if private else self._turns
        seat.hearing = HumanHearing(
            leg, seat.leg, seat.id, fittings, told, self._stage.spawn, turns, said, turn
        )
        fittings.walk(seat.hearing)
