"""Others at the caller's end of a call: each heard, written down and taped on their own, and answered.

A guest hears the call where the caller's channel plays it (in a room all hear each other): no sound goes out
from here, but to operators who sit in on the call.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from offhook.audio.frame import AudioFormat
from offhook.call.bridge import Bridge
from offhook.call.dialogue import Dialogue
from offhook.call.human_hearing import Fittings, HumanHearing, TurnCounter
from offhook.call.legs import CallerLeg
from offhook.call.modes import Part
from offhook.call.sound_bridge import SoundBridge
from offhook.call.sources import Source
from offhook.call.speaking import Spawn
from offhook.call.timeline import Timeline
from offhook.foundation.desk_events import LegJoined, LegLeft
from offhook.foundation.errors import LimitError
from offhook.foundation.events import EndReason, LegKind, TranscriptFinal
from offhook.foundation.people import Mode, Person, Role, Stance

MAX_GUESTS = 32
"""On one call, in all: each has a track of the recording."""
LAST_WORDS_S = 2.0
GIVE_WAY_MS = 640
"""So long a guest speaks over the agent before it gives way: no cough, no "mm-hmm"."""
BABBLE_MS = 10_000
"""Who goes on longer than this is noise, and does not keep the agent from speaking."""


class Hall(Protocol):
    """What guests need of the session that they are on."""

    timeline: Timeline
    fittings: Fittings

    @property
    def conversation(self) -> Dialogue: ...

    @property
    def spawn(self) -> Spawn: ...

    @property
    def sound(self) -> SoundBridge | None: ...

    @property
    def mode(self) -> Mode: ...

    @property
    def bridge(self) -> Bridge: ...

    def tape_guest(self, leg: str, format: AudioFormat, at_sample: int, audio: bytes) -> None: ...


class Guest:
    """Implements CallerListener. `answered`: the agent answers what this guest says."""

    def __init__(
        self, guests: Guests, hall: Hall, id: str, name: str, format: AudioFormat, answered: bool
    ) -> None:
        self._guests = guests
        self._hall = hall
        self.id = id
        self.name = name
        self.format = format
        self.answered = answered
        self.gone = False
        self.source = Source(Part.CALLER, LegKind.GUEST, format)
        self.leg = CallerLeg(format, self._tape)
        self.hearing: HumanHearing | None = None

    def _tape(self, at_sample: int, audio: bytes) -> None:
        self._hall.tape_guest(self.id, self.format, at_sample, audio)

    # What the channel tells.

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        if self.gone:
            return
        self.leg.take(audio, at_ms, self._hall.timeline.now_ms())
        if self.hearing is None:
            self.leg.skip()
        if self._hall.sound is not None:
            self.source.push(audio)

    def on_mark(self, name: str) -> None: ...

    def on_digit(self, digit: str) -> None: ...

    def on_text(self, text: str) -> None:
        if not self.gone:
            self._guests.typed(self, text)

    def on_lost(self) -> None: ...

    def on_resumed(self) -> None: ...

    def on_closed(self, reason: EndReason) -> None:
        self._guests.leave(self, lost=reason is not EndReason.CALLER_HUNG_UP)


class Guests:
    """Implements channels.base.Party. All on the event loop, all immediate but `finish`."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._turns = TurnCounter()
        self._present: list[Guest] = []
        self._ids: dict[str, str] = {}
        self._last_words: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._present)

    def welcome(self, identity: str, name: str, format: AudioFormat, answered: bool = True) -> Guest:
        """Somebody else is at the caller's end; whom to tell about them. Who comes again has the place that
        they had. Raises LimitError."""
        known = self._ids.get(identity)
        if self._closed or (known is None and len(self._ids) >= MAX_GUESTS):
            raise LimitError(f"this call has had {MAX_GUESTS} guests, no more fit", retryable=False)
        id = self._ids[identity] = known or f"{LegKind.GUEST}-{len(self._ids) + 1}"
        guest = Guest(self, self._hall, id, name, format, answered)
        self._listen(guest)
        self._present.append(guest)
        if self._hall.sound is not None:
            self.route(self._hall.sound)
        self._hall.timeline.emit(LegJoined(id, LegKind.GUEST, f"room:{identity}", name, Stance.JOIN))
        return guest

    def leave(self, guest: Guest, lost: bool = False) -> None:
        """Idempotent."""
        if guest.gone:
            return
        self._let_go(guest)
        self._present.remove(guest)
        if self._hall.sound is not None:
            self.route(self._hall.sound)
        identity = next(name for name, id in self._ids.items() if id == guest.id)
        self._hall.timeline.emit(LegLeft(guest.id, LegKind.GUEST, f"room:{identity}", lost))

    def interrupt(self) -> None:
        """Somebody wants the agent to stop talking."""
        if self._hall.mode is Mode.AGENT:
            self._hall.conversation.give_way()

    def say(self, text: str, identity: str, name: str) -> None:
        """Have the agent say this. Raises RefusedError."""
        self._hall.bridge.say(text, Person(f"room:{identity}", name, Role.OPERATOR))

    def route(self, sound: SoundBridge) -> None:
        """Operators hear guests as they hear the caller."""
        sound.company = tuple(guest.source for guest in self._present)

    def typed(self, guest: Guest, text: str) -> None:
        """A line that a guest wrote."""
        timeline = self._hall.timeline
        now_ms = int(timeline.now_ms())
        number = self._turns.take(LegKind.GUEST)
        timeline.emit(TranscriptFinal(LegKind.GUEST, number, text, now_ms, now_ms, speaker=guest.id))
        self._said(guest, text, typed=True)

    def tick(self) -> None:
        """Every 20 ms: an agent who is talked over gives way, and nobody is silent while a guest speaks."""
        for guest in self._present:
            hearing = guest.hearing
            spoken_ms = hearing.spoken_ms if hearing is not None else 0
            if hearing is None or not (spoken_ms or hearing.owes_words) or spoken_ms > BABBLE_MS:
                continue
            self._hall.conversation.attend()
            if spoken_ms >= GIVE_WAY_MS and guest.answered and self._hall.mode is Mode.AGENT:
                self._hall.conversation.give_way()

    def close(self) -> None:
        """The call is over. Idempotent."""
        self._closed = True
        for guest in self._present:
            self._let_go(guest)
        self._present.clear()

    async def finish(self) -> None:
        """What guests were saying when the call ended still belongs to the transcript."""
        if self._last_words:
            await asyncio.wait(self._last_words, timeout=LAST_WORDS_S)

    def _let_go(self, guest: Guest) -> None:
        guest.gone = True
        if guest.hearing is None:
            return
        self._hall.fittings.rest(guest.hearing)
        task = guest.hearing.close()
        if task is not None:
            self._last_words.add(task)
            task.add_done_callback(self._last_words.discard)

    def _listen(self, guest: Guest) -> None:
        """Give a guest a recognizer's ear of its own."""
        hall = self._hall
        if hall.fittings.stt is None:
            return

        def turn(number: int, text: str) -> None:
            self._said(guest, text)

        guest.hearing = HumanHearing(
            guest.leg,
            LegKind.GUEST,
            guest.id,
            hall.fittings,
            hall.timeline,
            hall.spawn,
            self._turns,
            lambda text: None,
            turn,
        )
        hall.fittings.walk(guest.hearing)

    def _said(self, guest: Guest, text: str, *, typed: bool = False) -> None:
        """A guest's turn is over: the agent answers it, or knows it."""
        if not self._closed:
            answered = guest.answered and not guest.gone
            self._hall.conversation.guest_said(text, guest.name, answered=answered, typed=typed)
