"""The two halves of a leg's connection: what a call may ask of a channel, and what a channel tells a call.

Every method here is immediate. Nothing awaits, blocks or raises for a peer's fault: a peer that
cannot take audio is the channel's problem until it says `on_closed`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from offhook.audio.frame import AudioFormat
from offhook.foundation.events import ChannelKind, Direction, EndReason, Entry


class Channel(Protocol):
    """The outward half: towards the peer."""

    @property
    def kind(self) -> ChannelKind: ...

    @property
    def format(self) -> AudioFormat:
        """The format that the peer sends, and wants to hear."""

    @property
    def peer(self) -> str:
        """Who is at the other end, for records: a phone number, or an empty string."""

    def play(self, audio: bytes) -> None:
        """Send audio (whole samples in `format`) to be heard after what was sent before."""

    def clear(self) -> None:
        """Drop everything sent and not yet heard. Marks that come back for it are not reported."""

    def mark(self, name: str) -> None:
        """Ask for `on_mark(name)` once everything sent before has been heard."""

    def tell(self, entry: Entry) -> None:
        """Show an event to the peer, where it has a screen; others ignore it."""

    def hang_up(self, reason: EndReason) -> None:
        """End the connection after what was sent has left. Idempotent; `on_closed` still follows."""


class CallerListener(Protocol):
    """The inward half: what a channel tells the call about the caller. Called on the event loop."""

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        """Whole samples in the channel's format; `at_ms` is the peer's media time of the first one."""

    def on_mark(self, name: str) -> None:
        """Everything sent before the mark has been heard."""

    def on_digit(self, digit: str) -> None:
        """A DTMF digit: one of 0-9, *, #, A-D."""

    def on_text(self, text: str) -> None:
        """A line typed by the caller."""

    def on_lost(self) -> None:
        """The connection broke; the channel may come back (see `on_resumed`)."""

    def on_resumed(self) -> None:
        """The caller is back on the same call after `on_lost`."""

    def on_closed(self, reason: EndReason) -> None:
        """The connection is gone for good. Told once; nothing follows."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A caller at the door: what the channel knows before the call begins."""

    direction: Direction = Direction.INBOUND
    agent: str = ""
    caller: str = ""
    called: str = ""
    vendor_id: str = ""
    address: str = ""
    variables: dict[str, str] = field(default_factory=dict)


class Reception(Protocol):
    """Takes callers in. A channel calls it once its peer has said all that a call needs."""

    def arrive(self, channel: Channel, arrival: Arrival) -> tuple[str, CallerListener]:
        """Begin a call; returns its id and whom to tell about the caller.

        Raises LimitError (no capacity), NotFoundError (no such agent), RefusedError. Nothing is
        constructed when it raises."""
