"""What the web doors need from the rest of the house, as small protocols. No behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from offhook.foundation.events import ChannelKind, EndReason


class LiveCall(Protocol):
    """A call that is up, as far as a door cares."""

    @property
    def id(self) -> str: ...

    @property
    def channel_kind(self) -> ChannelKind: ...

    @property
    def vendor_id(self) -> str:
        """The phone vendor's id of the call (Twilio's CallSid), or an empty string."""


class Directory(Protocol):
    """All live calls of this process."""

    @property
    def draining(self) -> bool:
        """No new calls are taken; live ones go on."""

    def drain(self) -> None:
        """Take no new calls from now on. Idempotent."""

    def get(self, call_id: str) -> LiveCall | None: ...

    def count(self) -> int: ...

    def __iter__(self) -> Iterator[LiveCall]: ...

    def full(self) -> bool:
        """Whether there is no room for one more call."""

    def hang_up(self, call_id: str, reason: EndReason) -> bool:
        """Begin to end a live call (its last sentence and its clean-up follow); False when it is not live."""
