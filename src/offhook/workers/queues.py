"""The queues' way from one worker to the others: the lowest that is up runs them. Knows nothing of queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from offhook.workers.peers import Peers


class QueueWay:
    """Implements center.way.Way."""

    def __init__(self, peers: Peers, slot: int) -> None:
        self._peers = peers
        self.slot = slot

    def leader(self) -> int:
        return min((self.slot, *self._peers.roster))

    def tell(self, name: str, value: Any, slot: int | None = None) -> None:
        self._peers.tell(name, value, None if slot is None else [slot])

    async def ask(self, name: str, value: Any, slot: int) -> Any:
        return (await self._peers.ask(name, value, [slot])).get(slot)

    def hear(self, name: str, heard: Callable[[Any], Any]) -> None:
        self._peers.hear(name, lambda value, _: heard(value))
        self._peers.answer(name, heard)
