"""What the web doors need from the rest of the house, as small protocols. No behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from offhook.channels.base import Arrival
from offhook.foundation.events import EndReason


class LiveCall(Protocol):
    """A call that is up, as far as a door cares."""

    @property
    def id(self) -> str: ...

    @property
    def arrival(self) -> Arrival: ...


class Directory(Protocol):
    """All live calls of this process."""

    draining: bool
    """No new calls are taken; live ones go on. A stopping server sets it."""

    def get(self, call_id: str) -> LiveCall | None: ...

    def count(self) -> int: ...

    def __iter__(self) -> Iterator[LiveCall]: ...

    def capacity(self) -> int:
        """How many more calls may begin now."""

    def hang_up(self, call_id: str, reason: EndReason) -> None:
        """Begin to end a live call. Raises NotFoundError when it is not live."""

    async def close(self, reason: EndReason, grace_s: float) -> None:
        """End all calls: a goodbye within `grace_s`, then the line."""


class WavFile(Protocol):
    """A WAV that is decoded as it is read."""

    @property
    def size(self) -> int: ...

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bytes of it, once; blocks. Raises StorageError."""

    def close(self) -> None:
        """For a WAV whose chunks nobody wants."""


class Recordings(Protocol):
    """Sealed recordings, by call id. All raise NotFoundError; the first three block shortly."""

    def open_ogg(self, call_id: str) -> BinaryIO: ...

    def wav(self, call_id: str) -> WavFile: ...

    def peaks(self, call_id: str) -> dict[str, Any]: ...

    async def delete(self, call_id: str) -> None: ...
