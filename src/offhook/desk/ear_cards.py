"""The cards on one operator's desk: what each has become, its sound, how long it is of use. Plays none."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

from offhook.desk.narration import Narration, Narrator
from offhook.foundation.desk_events import CardStatus, CoachingCard
from offhook.foundation.errors import NotFoundError, RefusedError

MOST_HELD = 32
MOST_SOUNDS = 8
"""Cards whose sound is kept though nothing waits for it."""
REPEAT_MS = 60_000.0
"""The same words are not said twice within this."""
START_MS = 200
"""Sound that must be there before it begins, so that it does not break off at once."""
SETTLED = (CardStatus.USED, CardStatus.DISMISSED, CardStatus.EXPIRED)
_WORDS = re.compile(r"\w+")


@dataclass(slots=True, eq=False)
class Held:
    """One card. `sent`: bytes of its sound that the ear was given; `outlived`: it expired while it played."""

    card: CoachingCard
    order: int
    priority: int
    status: CardStatus = CardStatus.SHOWN
    sound: Narration | None = None
    sent: int = 0
    timer: asyncio.TimerHandle | None = None
    outlived: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can begin to sound."""
        sound = self.sound
        if sound is None or sound.error or not sound.audio:
            return False
        return sound.done or len(sound.audio) >= sound.wanted.format.size(START_MS)


class Cards:
    """The last MOST_HELD cards of one seat. `changed` is told of each new status, with a note."""

    def __init__(self, narrator: Narrator, changed: Callable[[Held, str], None]) -> None:
        self._narrator = narrator
        self._changed = changed
        self._held: dict[str, Held] = {}
        self._said: dict[str, float] = {}
        self._count = 0

    def __contains__(self, card_id: str) -> bool:
        return card_id in self._held

    def add(self, card: CoachingCard, left_s: float, expire: Callable[[Held], None]) -> Held:
        """A new card; `expire` is told after `left_s` seconds, unless it was settled by then."""
        self._count += 1
        held = self._held[card.id] = Held(card, self._count, card.priority)
        if left_s > 0:
            held.timer = asyncio.get_running_loop().call_later(left_s, expire, held)
        return held

    def get(self, card_id: str) -> Held | None:
        return self._held.get(card_id)

    def live(self, card_id: str) -> Held:
        """A card that is not settled. Raises NotFoundError, RefusedError."""
        held = self._held.get(card_id)
        if held is None:
            raise NotFoundError("there is no such card on this desk")
        if held.status in SETTLED:
            raise RefusedError(f"the card is {held.status.value}")
        return held

    def queued(self) -> list[Held]:
        """What waits to be played, what comes first in front."""
        waiting = [held for held in self._held.values() if held.status is CardStatus.QUEUED]
        return sorted(waiting, key=lambda held: (-held.priority, held.order))

    def turn(self, held: Held, status: CardStatus, note: str = "") -> None:
        """This is what the card is from now on."""
        held.status = status
        if status in SETTLED:
            if held.timer is not None:
                held.timer.cancel()
                held.timer = None
            if status is not CardStatus.USED:
                self.drop_sound(held)
        self._changed(held, note)

    def drop_sound(self, held: Held) -> None:
        """Nobody wants its sound (any more)."""
        sound, held.sound = held.sound, None
        if sound is not None:
            self._narrator.leave(sound)

    def forget(self) -> None:
        """Keep the last MOST_HELD cards, and the sound of the last MOST_SOUNDS that wait for nothing."""
        busy = (CardStatus.QUEUED, CardStatus.PLAYING)
        idle = [held for held in self._held.values() if held.status not in busy]
        for held in [held for held in idle if held.sound is not None][:-MOST_SOUNDS]:
            self.drop_sound(held)
        for held in idle[: max(0, len(self._held) - MOST_HELD)]:
            if held.status not in SETTLED:
                self.turn(held, CardStatus.EXPIRED, "many came after it")
            self.drop_sound(held)
            del self._held[held.card.id]

    def close(self) -> None:
        """Let go of all; nothing is told."""
        for held in self._held.values():
            if held.timer is not None:
                held.timer.cancel()
            self.drop_sound(held)
        self._held.clear()

    # What was said.

    def note_said(self, text: str, now_ms: float) -> None:
        """These words were heard to their end."""
        self._said[words(text)] = now_ms

    def same_words(self, text: str, now_ms: float) -> bool:
        """Whether these words are said now, wait to be, or were said a short while ago."""
        self._said = {said: at for said, at in self._said.items() if now_ms - at < REPEAT_MS}
        if words(text) in self._said:
            return True
        busy = (CardStatus.QUEUED, CardStatus.PLAYING)
        return any(
            held.status in busy and words(held.card.spoken) == words(text) for held in self._held.values()
        )


def words(text: str) -> str:
    """The words alone: what sounds the same is the same. Empty where nothing can be said."""
    return " ".join(_WORDS.findall(text.casefold()))
