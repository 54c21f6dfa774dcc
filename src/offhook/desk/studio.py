"""What there is of voices at the desk, put together: who speaks, who narrates, whose ear wants what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offhook.desk.clips import ClipShelf
from offhook.desk.ear import EarMemory, EarSeat
from offhook.desk.ear_queue import EarLine, EarQueue, FirstSound
from offhook.desk.narration import Narrator
from offhook.desk.voices import VoiceBook
from offhook.foundation.desk_events import CardChanged


@dataclass(frozen=True, slots=True)
class Studio:
    """One per process."""

    book: VoiceBook
    narrator: Narrator
    memory: EarMemory
    clips: ClipShelf

    def ear(
        self,
        seat: EarSeat,
        emit: Callable[[CardChanged], None],
        now_ms: Callable[[], float],
        on_sound: Callable[[str], None] = lambda card_id: None,
        on_first: Callable[[FirstSound], None] = lambda first: None,
    ) -> SeatEar:
        """The coach's voice for a seat of a call; close it when the seat is left."""
        line = EarLine(emit, now_ms, on_sound, on_first)
        queue = EarQueue(seat, self.narrator, self.memory.of(seat.person), line)
        return SeatEar(queue, self.memory.watch(seat.person, queue.change))

    async def close(self) -> None:
        """Stop narrating, and let go of the voices that were made here."""
        await self.narrator.close()
        await self.book.close()


class SeatEar:
    """A queue, and its person's wishes as they change."""

    def __init__(self, queue: EarQueue, unwatch: Callable[[], None]) -> None:
        self.queue = queue
        self._unwatch = unwatch

    def close(self) -> None:
        """Silence. Idempotent."""
        self._unwatch()
        self.queue.close()
