"""A seat's coach: the cards of its call, in the operator's own ear and on the screen. Makes no cards.

Cards come from the call's timeline, whoever put them there; what becomes of them goes back to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from offhook.audio.convert import to_samples
from offhook.audio.wav import write_wav
from offhook.desk.ear import EarSeat, EarWishes
from offhook.desk.ear_queue import FirstSound
from offhook.desk.ports import AidChannel, Call
from offhook.desk.studio import Studio
from offhook.foundation.desk_events import (
    CardChanged,
    CardStatus,
    CoachingCard,
    ModeChanged,
    StanceChanged,
)
from offhook.foundation.errors import NotFoundError, RefusedError
from offhook.foundation.events import Entry
from offhook.protocols.live import CardAct, CardAction, CoachWish
from offhook.protocols.live_words import CardVoice

_WISHES = ("voice", "speed", "volume", "auto_play", "mute")


class Aids:
    """Implements desk.ports.Aids. `coach_now` makes a card on the call of that id, where calls have a coach;
    it raises OffhookError."""

    def __init__(
        self,
        studio: Studio,
        coach_now: Callable[[str], None] | None = None,
        on_first: Callable[[FirstSound], None] = lambda first: None,
    ) -> None:
        self._studio = studio
        self._coach_now = coach_now
        self._on_first = on_first

    def __call__(self, call: Call, seat: EarSeat, channel: AidChannel) -> SeatAid:
        """A seat was taken."""
        return SeatAid(call, seat, channel, self._studio, self._coach_now, self._on_first)


class SeatAid:
    """Implements desk.ports.Aid for one seat."""

    def __init__(
        self,
        call: Call,
        seat: EarSeat,
        channel: AidChannel,
        studio: Studio,
        coach_now: Callable[[str], None] | None,
        on_first: Callable[[FirstSound], None],
    ) -> None:
        timeline = call.session.timeline
        self._call_id = call.id
        self._timeline = timeline
        self._seat = seat
        self._channel = channel
        self._memory = studio.memory
        self._coach_now = coach_now
        self._ear = studio.ear(seat, timeline.emit, timeline.now_ms, self._voiced, on_first)
        self._unwatch: tuple[Callable[[], None], ...] = (
            timeline.watch(self._see),
            studio.memory.watch(seat.person, self._coached),
        )

    def settings(self) -> Mapping[str, Any]:
        """How the coach sounds to this person."""
        return self._memory.of(self._seat.person).as_dict()

    def wish(self, wish: CoachWish) -> None:
        """Raises WireError."""
        said = {name: value for name in _WISHES if (value := getattr(wish, name)) is not None}
        self._memory.change(self._seat.person, said)

    def coach_now(self) -> None:
        """Raises OffhookError."""
        if self._coach_now is None:
            raise RefusedError("there is no coach on this call")
        self._coach_now(self._call_id)

    def card(self, act: CardAct) -> None:
        """Raises NotFoundError, RefusedError."""
        queue = self._ear.queue
        match act.action:
            case CardAction.PLAY:
                self._recall(act.id)
                queue.play(act.id)
            case CardAction.STOP:
                queue.stop()
            case CardAction.USED:
                self._settle(act.id, CardStatus.USED, queue.used)
            case CardAction.DISMISSED:
                self._settle(act.id, CardStatus.DISMISSED, queue.dismissed)
            case _:
                raise RefusedError(f"a card is not to be {act.action.value} here")

    def leave(self) -> None:
        """The seat is empty. Idempotent."""
        unwatch, self._unwatch = self._unwatch, ()
        for stop in unwatch:
            stop()
        self._ear.close()

    def _settle(self, card_id: str, status: CardStatus, settle: Callable[[str], None]) -> None:
        """A card that is older than the seat, or has expired on the screen, may still have helped."""
        try:
            settle(card_id)
        except (NotFoundError, RefusedError):
            if self._ear.queue.status(card_id) not in (None, CardStatus.EXPIRED):
                raise
            if self._kept(card_id) is None:
                raise
            self._timeline.emit(CardChanged(card_id, status, self._seat.id, self._seat.person.id))

    def _recall(self, card_id: str) -> None:
        """A card that is older than the seat may still be of use to it."""
        if self._ear.queue.status(card_id) is None and (card := self._kept(card_id)) is not None:
            self._ear.queue.recall(card)

    def _kept(self, card_id: str) -> CoachingCard | None:
        """One of the call's latest cards."""
        for entry in self._timeline.recent:
            if isinstance(entry.event, CoachingCard) and entry.event.id == card_id:
                return entry.event
        return None

    # What happens.

    def _see(self, entry: Entry) -> None:
        """An event is on the timeline. What it makes of it comes after it for every screen."""
        match entry.event:
            case CoachingCard() as card:
                asyncio.get_running_loop().call_soon(self._ear.queue.card, card)
            case ModeChanged() | StanceChanged():
                asyncio.get_running_loop().call_soon(self._ear.queue.route_changed)

    def _voiced(self, card_id: str) -> None:
        """A card's sound is whole: S5's clients want it too."""
        found = self._ear.queue.audio_of(card_id)
        if found is not None:
            audio, format, seconds = found
            wav = write_wav(to_samples(audio, format.encoding), format.rate)
            self._channel.voiced(card_id, CardVoice(wav, "wav", round(seconds, 3)))

    def _coached(self, wishes: EarWishes) -> None:
        self._channel.coached(wishes.as_dict())
