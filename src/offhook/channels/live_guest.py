"""Between a live socket and the house: who comes for what, and what they get. Values and protocols only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from offhook.channels.base import CallerListener
from offhook.foundation.events import EndReason, Entry, LegKind
from offhook.foundation.people import Person, Stance
from offhook.protocols.live import Ask, Wish
from offhook.protocols.live_words import Seating

if TYPE_CHECKING:
    from offhook.channels.live_channel import LiveChannel


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at the door of a live call. `person` is None for a caller, `agent` whom a caller wants,
    `session` by what the person is here."""

    ask: Ask
    peer: str = ""
    person: Person | None = None
    agent: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What somebody gets who is on the call: whom to tell about the sound, and who does what they wish.

    `obey` raises OffhookError for what is refused; `seating` says how the call is conducted now, an operator
    reads it whenever that changed. `history` is what happened so far, `coach` how the coach sounds to them,
    `stays` why the caller cannot be put through to a number (empty: they can); `left` is told after the
    listener when they are gone.
    """

    call_id: str
    listener: CallerListener
    obey: Callable[[Wish], None]
    started_at: datetime
    leg: LegKind
    seat: str = ""
    stance: Stance | None = None
    seating: Callable[[], Seating] = Seating
    history: Sequence[Entry] = ()
    coach: Mapping[str, Any] = field(default_factory=dict)
    stays: str = ""
    left: Callable[[EndReason], None] = lambda reason: None


class Host(Protocol):
    """Takes in who comes by `/ws/live`. Immediate: it calls the channel's `begin`, or its `wait` and `begin`
    later. Raises OffhookError for whom it does not take; then it has kept nothing of them."""

    def admit(self, visit: Visit, channel: LiveChannel) -> None: ...

    def gone(self, channel: LiveChannel) -> None:
        """Told of every channel whose socket is gone, also of one that was refused."""
