"""What a door needs of WebRTC callers, wherever their process is. No behaviour; needs no package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from offhook.channels.base import Arrival

MOST_SDP = 32_768


@dataclass(frozen=True, slots=True)
class Answered:
    """`session` is the secret for all that follows; the call begins when the connection stands. `tag` names
    the ICE session, which a restart changes."""

    call_id: str
    session: str
    sdp: str
    tag: str


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A caller who offers. `admit` is asked, and may raise RefusedError, when the call is to begin; `gone` is
    told once when nothing of it is left, also where it was never taken in."""

    agent: str
    admit: Callable[[], Arrival]
    gone: Callable[[], None]


class RtcSessions(Protocol):
    """All raise WireError for what cannot be read, LimitError where there is no port, or a process that does
    not answer, NotFoundError for a session that is not, or is over."""

    @property
    def waiting(self) -> int:
        """Sessions of this process whose call has not begun."""

    async def begin(self, sdp: str, newcomer: Newcomer) -> Answered:
        """Answer a new caller's offer."""

    async def renew(self, session: str, sdp: str) -> Answered:
        """Answer another offer on a session: a client that goes another way, or that began anew."""

    async def trickle(self, session: str, fragment: str, tag: str = "") -> tuple[str, str]:
        """Candidates of a client, for the ICE session of `tag`; with another ICE name, its restart. Returns
        our side of a restart, else nothing, and the tag. Raises ConflictError for another tag."""

    async def leave(self, session: str) -> None:
        """The client hangs up."""
