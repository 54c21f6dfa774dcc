"""One process, one port: uvicorn with media sockets beside it, and a stop that lets live calls finish.

Knows nothing about what a call is; builds no routes.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import structlog
import uvicorn
from starlette.types import ASGIApp

from offhook.foundation.clock import Clock
from offhook.foundation.events import EndReason
from offhook.web.listener import listen as listen
from offhook.web.ports import Directory
from offhook.web.proxies import Proxies
from offhook.web.sockets import Door, SwitchingProtocol, http_protocol

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_log = structlog.stdlib.get_logger("offhook.web.server")


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """`drain_seconds`: how long live calls may go on after the first signal; `goodbye_seconds`: how
    long they get once they are told to end; `message_bytes`: the largest WebSocket message; `proxies`:
    whose word about a client's address is taken."""

    drain_seconds: float = 3600.0
    goodbye_seconds: float = 5.0
    message_bytes: int = 65_536
    proxies: Proxies = field(default_factory=Proxies)


class DrainingServer(uvicorn.Server):
    """Serves until told to stop; then live calls finish first.

    The first signal (or `stop()`) tells the directory to drain: new calls are refused, live ones
    go on, `/readyz` says 503; the server ends when no call is left or after `drain_seconds`. The
    second, or the end of that time, ends the calls; after `goodbye_seconds` it ends regardless.
    `run_until_stopped` always returns normally, so that whoever called it can clean up.
    """

    connection: ClassVar[type[SwitchingProtocol]] = SwitchingProtocol

    def __init__(
        self,
        app: ASGIApp,
        doors: Mapping[str, Door],
        directory: Directory,
        clock: Clock,
        limits: ServerLimits | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        limits = limits or ServerLimits()
        super().__init__(
            uvicorn.Config(
                app,
                http=http_protocol(doors, limits.message_bytes, proxies=limits.proxies, base=self.connection),
                ws="websockets-sansio",
                ws_max_size=limits.message_bytes,
                ws_max_queue=8,
                ws_per_message_deflate=False,
                ws_ping_interval=10,
                ws_ping_timeout=10,
                server_header=False,
                proxy_headers=False,
                access_log=False,
                log_config=None,
                lifespan="off",
                timeout_keep_alive=15,
                timeout_graceful_shutdown=3,
            )
        )
        self._directory = directory
        self._clock = clock
        self._limits = limits
        self._on_ready = on_ready
        self._deadline: float | None = None
        self._ending: asyncio.Task[None] | None = None

    async def run_until_stopped(self, *listeners: socket.socket) -> None:
        """Serve on `listeners` (closed at the end). Run it on uvloop. Raises nothing for peers' faults."""
        await self.serve(sockets=list(listeners))
        if self._ending is not None:
            self._ending.cancel()
            await asyncio.gather(self._ending, return_exceptions=True)
        for leftover in list(self.server_state.connections):
            if leftover.transport is not None:
                getattr(leftover.transport, "underlying_transport", leftover.transport).abort()

    def stop(self) -> None:
        """First: drain. Second: end the calls now."""
        now = self._clock.now()
        if self._deadline is None:
            self._deadline = now + self._limits.drain_seconds
            self._directory.draining = True
            _log.info("draining", calls=self._directory.count(), seconds=self._limits.drain_seconds)
        elif self._ending is None:
            self._deadline = now

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        """uvicorn asks ten times a second whether to end."""
        await super().on_tick(counter)
        if self._deadline is None:
            return self.should_exit
        if self._directory.count() == 0:
            return True
        if self._clock.now() < self._deadline:
            return False
        if self._ending is None:
            _log.info("ending live calls", calls=self._directory.count())
            grace = max(0.1, self._limits.goodbye_seconds - 1.0)
            end = self._directory.close(EndReason.SERVER_STOPPED, grace)
            self._ending = asyncio.create_task(end, name="end-calls")
            self._deadline = self._clock.now() + self._limits.goodbye_seconds
            return False
        _log.warning("calls did not end in time", calls=self._directory.count())
        return True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals stop this server and nothing else: unlike uvicorn we do not raise them again at the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
