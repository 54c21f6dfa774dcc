"""What rings at the consoles of one process: shown to whoever opens one meanwhile. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offhook.center.queue_words import Ring, StopRing
from offhook.center.staff import Staff, Viewer
from offhook.protocols.live_words import message


@dataclass(frozen=True, slots=True)
class _Ringing:
    order: Ring
    until: float

    def shown(self, now: float) -> bytes:
        left = max(0, round(self.until - now))
        return message("ring", call_id=self.order.call, queue=self.order.queue, seconds=left)


class Rings:
    """`now` is the house's clock, in seconds."""

    def __init__(self, staff: Staff, now: Callable[[], float]) -> None:
        self._staff = staff
        self._now = now
        self._ringing: dict[str, _Ringing] = {}

    def show(self, viewer: Viewer) -> None:
        """What rings for somebody who opens a console."""
        for ringing in self._ringing.values():
            if ringing.order.person == viewer.person.id:
                viewer.show(ringing.shown(self._now()))

    def ring(self, order: Ring) -> None:
        viewers = self._staff.viewers(order.person)
        if viewers:
            ringing = self._ringing[order.call] = _Ringing(order, self._now() + order.seconds)
            for viewer in viewers:
                viewer.show(ringing.shown(self._now()))

    def stop(self, order: StopRing) -> None:
        self._ringing.pop(order.call, None)
        self._tell(order.person, order.call, order.why)

    def answered(self, call: str) -> None:
        """Somebody has it: it rings no more."""
        ringing = self._ringing.pop(call, None)
        if ringing is not None:
            self._tell(ringing.order.person, call, "answered")

    def stop_all(self) -> None:
        """Another process runs the queues from now on, which knows of no rings and begins them anew."""
        for call in list(self._ringing):
            self._tell(self._ringing.pop(call).order.person, call, "")

    def _tell(self, person: str, call: str, why: str) -> None:
        for viewer in self._staff.viewers(person):
            viewer.show(message("ring_over", call_id=call, why=why))
