"""What the desk needs of a live call and of its own neighbours, as small protocols. No behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from offhook.audio.frame import AudioFormat
from offhook.call.directory import LiveCall
from offhook.call.seat import Seat
from offhook.channels.base import Arrival, CallerListener, Channel
from offhook.foundation.events import EndReason
from offhook.foundation.people import Person
from offhook.protocols.live import CardAct, CoachWish
from offhook.protocols.live_words import CardVoice

Call = LiveCall


class Calls(Protocol):
    """The live calls of this process (call.directory)."""

    def get(self, call_id: str) -> LiveCall | None: ...

    def arrive(self, channel: Channel, arrival: Arrival) -> tuple[str, CallerListener]: ...

    def hang_up(self, call_id: str, reason: EndReason) -> None: ...


class LoggedIn(Protocol):
    """Who is logged in, by session (desk.sessions)."""

    def is_alive(self, session: str) -> bool: ...

    def touch(self, session: str) -> None: ...


class Audit(Protocol):
    """Where it is kept what people did. Details name no words that were said."""

    def note(self, person: Person, action: str, call_id: str = "", **detail: Any) -> None: ...


class Aid(Protocol):
    """The coach and its voice, for one seat. Immediate; all raise OffhookError for what cannot be done."""

    def settings(self) -> Mapping[str, Any]:
        """How the coach sounds to this person."""

    def wish(self, wish: CoachWish) -> None: ...

    def coach_now(self) -> None: ...

    def card(self, act: CardAct) -> None:
        """Play, stop, used or dismissed."""

    def leave(self) -> None:
        """The seat is empty. Idempotent."""


class AidChannel(Protocol):
    """What an aid shows to the operator beside the timeline."""

    def voiced(self, card_id: str, voice: CardVoice) -> None: ...

    def coached(self, settings: dict[str, object]) -> None: ...


Aids = Callable[[LiveCall, Seat, AidChannel], Aid]
"""Gives a seat that was just taken its coach."""


class Clip(Protocol):
    @property
    def audio(self) -> bytes: ...

    @property
    def format(self) -> AudioFormat: ...


class Clips(Protocol):
    """Prepared clips (desk.clips)."""

    def get(self, name: str) -> Clip:
        """Blocks shortly. Raises NotFoundError, StorageError."""
