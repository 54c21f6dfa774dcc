"""What a server shares with other processes of its house: nothing, where it is alone. See `crew.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from picows import WSTransport

from offhook.bus.base import Bus
from offhook.center.queue_desk import QueueDesk
from offhook.channels.webrtc_sessions import RtcSessions
from offhook.foundation import ids
from offhook.telemetry import CountingBus
from offhook.web.live_site import LiveParts
from offhook.web.metrics import Metrics
from offhook.web.site import Parts


class Share:
    """For a server that is one process; `build` asks it what a house of several does otherwise."""

    resume_prefix = ""

    @contextmanager
    def starting(self) -> Iterator[None]:
        """While storage is opened and what a crash left is found. Blocks."""
        yield

    def bus(self, metrics: Metrics) -> Bus:
        return CountingBus(metrics)

    def new_call_id(self) -> str:
        return ids.call_id()

    def is_ours(self, call_id: str) -> bool:
        """Whether this process recovers that call if it finds it cut off."""
        return True

    def calls_elsewhere(self) -> int:
        """Live calls of the other processes."""
        return 0

    def count(self, calls: int) -> None:
        """So many calls are live here now."""

    def move(self, transport: WSTransport, secret: str) -> bool:
        """Hand a browser that comes back to the process that holds its call; False where none does."""
        return False

    def people(self, refresh: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """`refresh` reads users and sessions again. What is given back has the other processes do so."""
        return _nobody_else

    def live(self, parts: LiveParts) -> LiveParts:
        """The desk of this process, with the calls of the others."""
        return parts

    def webrtc(self, own: RtcSessions) -> RtcSessions:
        """The WebRTC sessions of this process, with those of the others."""
        return own

    def queues(self, desk: QueueDesk) -> None:
        """The queues of this process, with those who wait and work at the others."""

    def join(self, parts: Parts) -> Parts:
        """The parts of this process, with what the others have in common with it."""
        return parts


async def _nobody_else() -> None:
    """A house of one process."""
