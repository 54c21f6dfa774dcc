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


class Claims(Protocol):
    """Remembers what may be done only once."""

    def claim(self, name: str, seconds: float) -> bool:
        """Whether nobody claimed this name in the last `seconds` of an earlier claim. Immediate; raises
        LimitError when too many are remembered."""


class Ledger(Protocol):
    """Announced phone calls and their single-use tokens."""

    def mint(self, arrival: Arrival) -> str:
        """A token for this arrival. Raises LimitError when too many are outstanding."""

    def redeem(self, secret: str, vendor_id: str = "") -> Arrival:
        """The arrival that the token was minted for, once. Raises RefusedError, LimitError."""


class Bucket(Protocol):
    """How often each address may do something."""

    def allow(self, peer: str) -> bool: ...


class Places(Protocol):
    """How many calls each address holds."""

    def enter(self, peer: str, limited: bool = True) -> bool:
        """Count one more; False, and nothing counted, at the limit, unless it does not count here."""

    def leave(self, peer: str) -> None: ...


class Elsewhere(Protocol):
    """Calls of other processes of this house."""

    async def hang_up(self, call_id: str, reason: EndReason) -> bool:
        """End a live call by its id or the vendor's; False where nobody has it."""


class Nowhere:
    """Implements Elsewhere for a house of one process."""

    async def hang_up(self, call_id: str, reason: EndReason) -> bool:
        return False


class WavFile(Protocol):
    """A WAV that is decoded as it is read."""

    @property
    def size(self) -> int: ...

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bytes of it, once; blocks. Raises StorageError."""

    def close(self) -> None:
        """For a WAV whose chunks nobody wants."""


class Recordings(Protocol):
    """Sealed recordings, by call id. All raise NotFoundError; the first three block shortly. A `leg` has a
    file of its own where humans were heard on the call."""

    def open_ogg(self, call_id: str, leg: str | None = None) -> BinaryIO: ...

    def wav(self, call_id: str, leg: str | None = None) -> WavFile: ...

    def peaks(self, call_id: str) -> dict[str, Any]: ...

    async def delete(self, call_id: str) -> None: ...
