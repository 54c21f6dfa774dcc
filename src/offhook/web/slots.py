"""How many heavy requests run at once: a slot is taken, and freed whatever becomes of the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from offhook.foundation.errors import LimitError


class Slots:
    """At most `most` at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    def take(self) -> Slot:
        """Raises LimitError when all are taken."""
        if self.taken >= self._most:
            raise LimitError("too many requests of this kind are under way; try again in a moment")
        self.taken += 1
        return Slot(self)


class Slot:
    """A place that is taken until `free`, which is idempotent."""

    def __init__(self, slots: Slots) -> None:
        self._slots: Slots | None = slots

    def free(self) -> None:
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.taken -= 1


class HeldStream(StreamingResponse):
    """A stream that has a slot until it was sent, or its client went away."""

    def __init__(self, content: AsyncGenerator[bytes, None], media_type: str, slot: Slot) -> None:
        super().__init__(content, media_type=media_type)
        self._content = content
        self._slot = slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._slot.free()
            await self._content.aclose()
