"""From one process of the house to the others, as the queues need it; and a house of one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Way(Protocol):
    """From one process of the house to the others. `slot` is this one."""

    slot: int

    def leader(self) -> int:
        """The process that runs the queues."""

    def tell(self, name: str, value: Any, slot: int | None = None) -> None:
        """Tell one process, or all others (None)."""

    async def ask(self, name: str, value: Any, slot: int) -> Any:
        """None where it does not answer."""

    def hear(self, name: str, heard: Callable[[Any], Any]) -> None:
        """`heard(value)` is called for what others tell or ask under this name."""


class Alone:
    """Implements Way for a house of one process."""

    slot = 0

    def leader(self) -> int:
        return 0

    def tell(self, name: str, value: Any, slot: int | None = None) -> None: ...

    async def ask(self, name: str, value: Any, slot: int) -> Any:
        return None

    def hear(self, name: str, heard: Callable[[Any], Any]) -> None: ...
