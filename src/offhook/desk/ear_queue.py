"""The coach's voice in one operator's ear: which card sounds when. Makes no sound, and knows no other ear.

A card is queued, plays, is shown; it is used, dismissed, or expires. Its voice is made as soon as it is
there; what cannot be spoken is left as text. Nothing is played anywhere but in the seat's own ear.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from offhook.audio.frame import AudioFormat
from offhook.desk.ear import EarSeat, EarWishes
from offhook.desk.ear_cards import SETTLED, START_MS, Cards, Held, words
from offhook.desk.narration import Narration, Narrator, Wanted
from offhook.foundation.desk_events import CardChanged, CardStatus, CoachingCard
from offhook.foundation.errors import RefusedError

MOST_QUEUED = 8
NOW = 3
"""The priority that stops what plays, and does not wait for the operator to finish."""
_ASKED = NOW + 1
PATIENCE_S = 2.0
"""How long a card waits for the operator's own speech to end."""
_GLANCE_S = 0.05
_NOT_HEARD = "not heard in this mode"
_FRAME_MS = 20
"""Sound that is not the last is given in whole frames: an ear fills up what is less with silence."""


@dataclass(frozen=True, slots=True)
class FirstSound:
    """A card began to sound, unasked: ms since it was made, and since the caller's last sample."""

    card_id: str
    since_made_ms: float
    since_caller_ms: float


@dataclass(frozen=True, slots=True)
class EarLine:
    """What a queue has of its call. `emit` puts a change on the timeline; `now_ms` is its media time.
    `on_sound` is told of a card whose sound is whole, `on_first` of one that begins to sound."""

    emit: Callable[[CardChanged], None]
    now_ms: Callable[[], float]
    on_sound: Callable[[str], None] = lambda card_id: None
    on_first: Callable[[FirstSound], None] = lambda first: None


class EarQueue:
    """One seat's. Everything is immediate, on the event loop."""

    def __init__(self, seat: EarSeat, narrator: Narrator, wishes: EarWishes, line: EarLine) -> None:
        self.seat = seat
        self.wishes = wishes
        self._narrator = narrator
        self._line = line
        self._cards = Cards(narrator, self._changed)
        self._playing: Held | None = None
        self._play = 0
        self._feeding = False
        self._glance: asyncio.TimerHandle | None = None
        self._patient_since: float | None = None
        self._closed = False

    @property
    def _open(self) -> bool:
        """Whether this human is there, and the table lets the ear hear the coach."""
        return self.seat.ear.open and not self.seat.gone

    # What the call tells.

    def card(self, card: CoachingCard) -> None:
        """A new card, already on the timeline. It takes the place of the one it supersedes."""
        if self._closed or card.id in self._cards:
            return
        self._supersede(card)
        now = self._line.now_ms()
        same = self._cards.same_words(card.spoken, now)
        left_s = (card.expires_ms - now) / 1000
        held = self._cards.add(card, left_s, self._expire)
        if left_s <= 0:
            self._cards.turn(held, CardStatus.EXPIRED, "came too late")
        elif same or not words(card.spoken):
            self._cards.turn(held, CardStatus.SHOWN, "said already" if same else "")
        else:
            self._speak(held)
            sounds = self.wishes.auto_play and not self.wishes.mute and self._open
            self._cards.turn(held, CardStatus.QUEUED if sounds else CardStatus.SHOWN)
            self._bound()
        self._cards.forget()
        self._pump()

    def recall(self, card: CoachingCard) -> None:
        """A card from before the seat was taken, which nothing is told of: it may be played."""
        left_s = (card.expires_ms - self._line.now_ms()) / 1000
        if not self._closed and card.id not in self._cards and left_s > 0:
            self._cards.add(card, left_s, self._expire)
            self._cards.forget()

    def route_changed(self) -> None:
        """The mode or the seat's stance is another: what this seat may not hear any more is text."""
        if not self._closed and not self._open:
            self._silence(_NOT_HEARD)
            self._show_queued()

    # What the operator does.

    def change(self, wishes: EarWishes) -> None:
        """Sound like this from now on: volume and ducking at once, voice and speed from the next card."""
        if self._closed:
            return
        self.wishes = wishes
        self._set_gains()
        if wishes.mute:
            self._silence("muted")
        if wishes.mute or not wishes.auto_play:
            self._show_queued()

    def play(self, card_id: str) -> None:
        """Say this card now, whatever else plays. Raises NotFoundError, RefusedError."""
        held = self._cards.live(card_id)
        if self.wishes.mute:
            raise RefusedError("the coach is muted")
        if not self._open:
            raise RefusedError(f"the coach is {_NOT_HEARD}")
        if not words(held.card.spoken):
            raise RefusedError("the card has nothing to say")
        if held is self._playing:
            return
        if held.sound is None or held.sound.error or held.sound.wanted != self._wanted(held.card):
            self._cards.drop_sound(held)
            self._speak(held)
        held.priority = _ASKED
        if held.status is not CardStatus.QUEUED:
            self._cards.turn(held, CardStatus.QUEUED, "asked for")
        self._silence("another card was asked for")
        self._pump()

    def stop(self) -> None:
        """Silence; the card that played is shown, the next one may begin."""
        self._silence("stopped")
        self._pump()

    def used(self, card_id: str) -> None:
        """The operator acted on it. Raises NotFoundError, RefusedError."""
        self._settle(self._cards.live(card_id), CardStatus.USED)

    def dismissed(self, card_id: str) -> None:
        """The operator does not want it. Raises NotFoundError, RefusedError."""
        self._settle(self._cards.live(card_id), CardStatus.DISMISSED)

    # What others ask.

    def status(self, card_id: str) -> CardStatus | None:
        held = self._cards.get(card_id)
        return held.status if held is not None else None

    def audio_of(self, card_id: str) -> tuple[bytes, AudioFormat, float] | None:
        """The whole sound of a card, its format and seconds; None while there is none (any more)."""
        held = self._cards.get(card_id)
        if held is None or held.sound is None or not held.sound.whole:
            return None
        return bytes(held.sound.audio), held.sound.wanted.format, held.sound.seconds

    def close(self) -> None:
        """The seat is empty: silence, and nothing more is told. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._calm()
        if self._playing is not None:
            self._hush()
        self._cards.close()

    # Voices.

    def _wanted(self, card: CoachingCard) -> Wanted:
        wishes = self.wishes
        return Wanted(
            card.spoken, card.language, wishes.provider, wishes.voice, wishes.speed, self.seat.format
        )

    def _speak(self, held: Held) -> None:
        """Have its sound made, before anybody waits for it."""
        sound = self._narrator.begin(self._wanted(held.card))
        held.sound, held.sent = sound, 0
        if sound.done:
            asyncio.get_running_loop().call_soon(self._sounded, held, sound)
        else:
            sound.watch(lambda: self._sounded(held, sound))

    def _sounded(self, held: Held, sound: Narration) -> None:
        """There is more of a card's sound, or no more."""
        if self._closed or held.sound is not sound:
            return
        if sound.whole:
            self._line.on_sound(held.card.id)
        if held is self._playing:
            self._feed()
            return
        if held.status is CardStatus.QUEUED and sound.error:
            self._cards.turn(held, CardStatus.SHOWN, _why(sound))  # half a sentence may say the opposite
        self._pump()

    # The queue.

    def _pump(self) -> None:
        """Play what is due."""
        queued = self._cards.queued()
        if self._closed or not queued:
            self._calm()
            return
        if not self._open:
            self._show_queued()
            return
        best = queued[0] if queued[0].priority >= NOW else next((h for h in queued if h.ready), queued[0])
        if not best.ready:
            return
        if self._playing is not None:
            if best.priority < NOW or self._playing.priority >= NOW:
                return
            self._silence("something urgent came")
        elif best.priority < NOW and self._must_wait():
            return
        self._begin(best)

    def _must_wait(self) -> bool:
        """Whether the operator speaks, and has not for PATIENCE_S since something waits. Looks again soon."""
        loop = asyncio.get_running_loop()
        if self._patient_since is None:
            self._patient_since = loop.time()
        if not self.seat.speaking or loop.time() - self._patient_since >= PATIENCE_S:
            return False
        if self._glance is None:
            self._glance = loop.call_later(_GLANCE_S, self._look_again)
        return True

    def _look_again(self) -> None:
        self._glance = None
        self._pump()

    def _calm(self) -> None:
        self._patient_since = None
        if self._glance is not None:
            self._glance.cancel()
            self._glance = None

    def _begin(self, held: Held) -> None:
        self._calm()
        self._playing, held.sent, self._feeding = held, 0, False
        self._play += 1
        self._set_gains()
        self._cards.turn(held, CardStatus.PLAYING)
        if held.priority < _ASKED:
            now, card = self._line.now_ms(), held.card
            self._line.on_first(FirstSound(card.id, now - card.made_ms, now - card.ended_ms))
        self._feed()

    def _feed(self) -> None:
        """Give the ear what there is of the card that plays, one piece at a time."""
        held = self._playing
        if held is None or held.sound is None or self._feeding:
            return
        sound, play = held.sound, self._play
        left = len(sound.audio) - held.sent
        if left and (sound.done or left >= self.seat.format.size(START_MS)):
            if not sound.done:
                left -= left % self.seat.format.size(_FRAME_MS)
            piece = bytes(sound.audio[held.sent : held.sent + left])
            held.sent += left
            self._feeding = True
            self.seat.ear.play(piece, lambda whole: self._piece_done(play, whole))
        elif sound.done and not left:
            self._end(_why(sound) if sound.error else "")

    def _piece_done(self, play: int, whole: bool) -> None:
        if play == self._play and self._playing is not None:
            self._feeding = False
            if whole:
                self._feed()
            else:
                self._end("stopped" if self._open else _NOT_HEARD)

    def _end(self, note: str) -> None:
        """The card that played has sounded; the next one may."""
        held = self._playing
        assert held is not None
        if not note:
            self._cards.note_said(held.card.spoken, self._line.now_ms())
        self._playing = None
        self._play += 1
        self._shown(held, note)
        self._pump()

    def _silence(self, note: str) -> None:
        """Stop what plays; begins nothing."""
        if (held := self._playing) is not None:
            self._hush()
            self._shown(held, note)

    def _hush(self) -> None:
        self._playing = None
        self._play += 1
        self.seat.ear.stop()

    def _set_gains(self) -> None:
        ear = self.seat.ear
        ear.volume, ear.duck = self.wishes.volume, self.wishes.duck

    # What becomes of a card.

    def _changed(self, held: Held, note: str) -> None:
        seat = self.seat
        self._line.emit(CardChanged(held.card.id, held.status, seat.id, seat.person.id, note))

    def _shown(self, held: Held, note: str) -> None:
        """It played, wholly or not."""
        held.priority = held.card.priority
        self._cards.turn(held, CardStatus.EXPIRED if held.outlived else CardStatus.SHOWN, note)

    def _show_queued(self) -> None:
        for held in self._cards.queued():
            self._cards.turn(held, CardStatus.SHOWN)

    def _settle(self, held: Held, status: CardStatus) -> None:
        if held is self._playing:
            self._hush()
        self._cards.turn(held, status)
        self._pump()

    def _expire(self, held: Held) -> None:
        held.timer = None
        if held is self._playing:
            held.outlived = True  # a word that is cut off helps nobody
        elif held.status not in SETTLED:
            self._cards.turn(held, CardStatus.EXPIRED)
            self._pump()

    def _supersede(self, card: CoachingCard) -> None:
        """The card that this one replaces leaves; one that says the same words now may finish."""
        held = self._cards.get(card.supersedes)
        if held is None or held.status in SETTLED:
            return
        if held is not self._playing:
            self._cards.turn(held, CardStatus.EXPIRED, "superseded")
            return
        held.outlived = True
        if words(held.card.spoken) != words(card.spoken):
            self._silence("superseded")

    def _bound(self) -> None:
        """Over MOST_QUEUED the least important leaves, of those the oldest."""
        waiting = self._cards.queued()
        if len(waiting) > MOST_QUEUED:
            least = min(waiting, key=lambda held: (held.priority, held.order))
            self._cards.turn(least, CardStatus.EXPIRED, "too many cards wait")


def _why(sound: Narration) -> str:
    return f"no voice: {sound.error}" if not sound.audio else f"the voice broke off: {sound.error}"
