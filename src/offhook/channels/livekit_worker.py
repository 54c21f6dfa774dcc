"""One registration with a LiveKit server as an agent worker: kept up over losses, and told how busy we are.

The messages are protocols/livekit_worker.py's; which job is taken, and what becomes of it, is the office's.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from offhook import __version__
from offhook.foundation.errors import WireError
from offhook.protocols import livekit_worker as wire

CONNECT_S = 5.0
REGISTER_S = 5.0
PING_S = 5.0
LOST_S = 3 * PING_S
REPORT_S = 1.0
"""How often it is looked whether there is news of our load; it is told when it changed, and every PING_S."""
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
MESSAGE_BYTES = 1 << 20
STRIKES = 5
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Busyness:
    """`load` 0 to 1; `full`: no job is taken now; `draining`: none ever again."""

    load: float
    jobs: int
    full: bool
    draining: bool


@dataclass(frozen=True, slots=True)
class Decline:
    """A job is not taken; `for_good`: by no other worker either."""

    for_good: bool


class Office(Protocol):
    """Who does the jobs. All immediate."""

    def busyness(self) -> Busyness: ...

    def consider(self, job: wire.Job) -> wire.Acceptance | Decline:
        """As whom the room of the job would be joined, if at all."""

    def assign(self, job: wire.Job, url: str, token: str) -> None:
        """The job is ours."""

    def terminate(self, job_id: str) -> None:
        """It ends now."""


class Registration:
    """`address()` gives the socket's URL and a fresh token. `registered` while the server knows us."""

    def __init__(
        self, address: Callable[[], tuple[str, str]], agent_name: str, office: Office, pause: float = 1.0
    ) -> None:
        self._address = address
        self._agent_name = agent_name
        self._office = office
        self._pause = pause
        self._link: _Link | None = None
        self._unsent: list[bytes] = []
        self.registered = False
        self.known = asyncio.Event()
        """Set while `registered`."""
        self.worker_id = ""
        self.fault = ""
        self.losses = 0

    async def run(self) -> None:
        """Until cancelled."""
        tries = 0
        while True:
            try:
                self.fault = await self._once()
            except Exception:  # our own fault, once: without a registration no room would get an agent
                _log.exception("the registration failed")
                self.fault = "something went wrong on our side"
            tries = 0 if self.registered else tries + 1
            if self.registered:
                self.losses += 1
            if tries <= 1:
                _log.warning("the LiveKit server is not there", reason=self.fault)
            self.registered = False
            self.known.clear()
            self._link = None
            wait = BACKOFF_S[min(tries, len(BACKOFF_S) - 1)] * self._pause
            await asyncio.sleep(wait * random.uniform(0.7, 1.3))

    def tell(self, job_id: str, outcome: wire.Outcome, error: str = "") -> None:
        """How far a job is; said once there is a connection again, if there is none now."""
        raw = wire.job(job_id, outcome, error)
        if self._link is None or not self.registered or not self._link.send(raw):
            self._unsent = [*self._unsent[-99:], raw]

    async def _once(self) -> str:
        """One connection, to its end; why it ended."""
        url, token = self._address()
        link = _Link(self._receive)
        try:
            async with asyncio.timeout(CONNECT_S):
                await ws_connect(
                    lambda: link,
                    url,
                    ssl_context=ssl.create_default_context() if url.startswith("wss:") else None,
                    websocket_handshake_timeout=None,
                    max_frame_size=MESSAGE_BYTES,
                    extra_headers={"Authorization": f"Bearer {token}"},
                    max_redirects=0,
                )
        except TimeoutError:
            return "it did not answer in time"
        except (OSError, WSError) as error:
            return _why(error)
        self._link = link
        try:
            link.send(wire.register(self._agent_name, __version__, int(PING_S)))
            await self._attend(link)
        finally:
            link.close()
        return link.fault or "it closed the connection"

    async def _attend(self, link: _Link) -> None:
        """Tell the server how busy we are, until the connection is gone."""
        loop = asyncio.get_running_loop()
        began, told_at, told = loop.time(), 0.0, None
        while not link.gone.is_set():
            now = loop.time()
            if not self.registered and now - began > REGISTER_S:
                link.fault = "it did not register us in time"
                return
            if now - link.heard_at > LOST_S:
                link.fault = "it does not answer any more"
                return
            busy = self._office.busyness()
            if self.registered and (busy != told or now - told_at >= PING_S):
                link.send(wire.worker(busy.load, busy.jobs, full=busy.full, draining=busy.draining))
                link.send(wire.ping(int(now * 1000)))
                told, told_at = busy, now
            try:
                async with asyncio.timeout(REPORT_S):
                    await link.gone.wait()
            except TimeoutError:
                continue

    def _receive(self, link: _Link, raw: bytes) -> None:
        match wire.read(raw):
            case wire.Registered(worker_id, version):
                self.registered, self.worker_id = True, worker_id
                self.known.set()
                _log.info("registered with the LiveKit server", worker_id=worker_id, server=version)
                unsent, self._unsent = self._unsent, []
                for late in unsent:
                    link.send(late)
            case wire.Offered(job):
                answer = self._office.consider(job)
                if isinstance(answer, Decline):
                    link.send(wire.decline(job.id, for_good=answer.for_good))
                else:
                    link.send(wire.accept(job.id, answer))
            case wire.Assigned(job, url, token):
                self._office.assign(job, url, token)
            case wire.Terminated(job_id):
                self._office.terminate(job_id)
            case wire.SentAway():
                link.fault = "it asked us to connect anew"
                link.gone.set()


def _why(error: Exception) -> str:
    response = getattr(error, "response", None)
    status = getattr(response, "status", None)
    if status is not None:
        return f"it refused us with HTTP {int(getattr(status, 'value', status))}: are key and secret right?"
    return "it cannot be reached"


class _Link(WSListener):
    """One WebSocket. `fault`: why it ended, where it is known."""

    def __init__(self, receive: Callable[[_Link, bytes], None]) -> None:
        self._receive = receive
        self._transport: WSTransport | None = None
        self._parts = bytearray()
        self._strikes = 0
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()
        self.gone = asyncio.Event()
        self.fault = ""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self.gone.set()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.heard_at = self._loop.time()
        kind = frame.msg_type
        if kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()
        elif kind in (WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._parts += frame.get_payload_as_bytes()
            if len(self._parts) > MESSAGE_BYTES:
                self._strike("it sent a message that is too big", fatal=True)
            elif frame.fin:
                raw, self._parts = bytes(self._parts), bytearray()
                self._take(raw)

    def _take(self, raw: bytes) -> None:
        try:
            self._receive(self, raw)
        except WireError as error:
            self._strike(error.reason)

    def _strike(self, reason: str, *, fatal: bool = False) -> None:
        self._strikes += 1
        _log.warning("the LiveKit server said what it may not say", reason=reason)
        if fatal or self._strikes >= STRIKES:
            self.fault = reason
            self.gone.set()

    def send(self, raw: bytes) -> bool:
        """False where the connection is gone."""
        if self._transport is None or self.gone.is_set():
            return False
        try:
            self._transport.send(WSMsgType.BINARY, raw)
        except (OSError, RuntimeError):
            self.gone.set()
            return False
        return True

    def close(self) -> None:
        """At once. Idempotent."""
        transport, self._transport = self._transport, None
        self.gone.set()
        if transport is not None:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect(graceful=False)
