"""One worker: a whole server without a port of its own, in a process that the supervisor started."""

from __future__ import annotations

import asyncio
import pickle
import signal
import socket
import sys

import structlog
import uvloop

from offhook import app as house
from offhook.bus.line import Line, Message
from offhook.foundation import log
from offhook.foundation.errors import OffhookError, SettingsError
from offhook.settings import secret_values
from offhook.workers.board import Board
from offhook.workers.crew import Crew
from offhook.workers.moving import WorkerServer
from offhook.workers.orders import Orders

BEAT_S = 0.5
SOON_S = 0.005
_log = structlog.get_logger(__name__)


def main() -> int:
    """The process. Exit codes as those of `offhook serve`."""
    orders: Orders = pickle.load(sys.stdin.buffer)
    settings = orders.settings
    log.configure(
        settings.log_level, settings.log_format, secret_values(settings), bound={"worker": orders.slot}
    )
    house.raise_file_limit()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # until it serves; the supervisor ends one that still starts
    return uvloop.run(_work(orders))


async def _work(orders: Orders) -> int:
    worker = Worker(orders)
    try:
        await worker.run()
    except OffhookError as error:
        code = 2 if isinstance(error, SettingsError) else 1
        await worker.fail(error.reason, code)
        return code
    finally:
        worker.close()
    return 0


class Worker:
    """Obeys the supervisor's messages and tells it how busy this worker is."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._board = Board(orders.board)
        self._line = Line(socket.socket(fileno=orders.line), self._receive, self._alone)
        self._crew = Crew(
            orders.slot,
            orders.berths,
            orders.first,
            self._board,
            self._line,
            orders.settings.data,
            orders.settings.limits.calls_per_address,
        )
        self._crew.note = self._soon
        self._crew.peers.hear("moved", self._moved)
        self._crew.peers.hear("visitor", self._visited)
        self._server: WorkerServer | None = None
        self._app: house.App | None = None
        self._taken = 0
        self._told: Message = {}
        self._timer: asyncio.TimerHandle | None = None
        self._drain_asked = self._end_asked = False

    async def run(self) -> None:
        """Until told to stop, or until the supervisor is gone and the last call has ended."""
        settings = self._orders.settings
        app = self._app = await house.build(settings, self._crew)
        server = self._server = WorkerServer(
            app.site.asgi,
            app.site.doors,
            app.directory,
            app.clock,
            house.server_limits(settings),
            self._ready,
        )
        try:
            await house.keep(app, server)
        finally:
            self._crew.close()

    async def fail(self, reason: str, code: int) -> None:
        """Tell why this worker does not run."""
        self._line.send({"kind": "failed", "reason": reason, "code": code})
        await self._line.flush(1.0)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._line.close()
        self._board.close()

    # From the supervisor.

    def _receive(self, message: Message, connection: socket.socket | None) -> None:
        match message["kind"]:
            case "caller" if connection is not None:
                self._taken += 1
                self._take(connection)
                self._soon()
            case "passed":
                self._crew.peers.receive(message, connection)
            case "roster":
                self._crew.enlist(message)
            case "watched":
                self._crew.watched(message)
            case "drain":
                self._drain_asked = True
                self._obey()
            case "end":
                self._end_asked = True
                self._obey()

    def _take(self, connection: socket.socket) -> None:
        if self._server is None:
            connection.close()
        else:
            self._server.take(connection)

    def _moved(self, value: dict[str, str], connection: socket.socket | None) -> None:
        if connection is None:
            return
        if self._server is None:
            connection.close()
        else:
            self._server.welcome(value, connection)

    def _visited(self, value: dict[str, str], connection: socket.socket | None) -> None:
        if connection is None:
            return
        if self._server is None:
            connection.close()
        else:
            self._server.admit(value, connection)

    def _alone(self) -> None:
        """The supervisor is gone: no caller comes any more, the calls here go on to their ends."""
        _log.error("the supervisor is gone; this worker ends with its last call")
        self._crew.enlist({"up": [], "restarts": {}})
        self._drain_asked = True
        self._obey()

    def _obey(self) -> None:
        if self._server is None:
            return
        if self._end_asked:
            self._server.end()
        elif self._drain_asked:
            self._server.drain()

    # To the supervisor.

    def _ready(self) -> None:
        self._line.send({"kind": "ready"})
        self._beat()
        self._obey()

    def _soon(self) -> None:
        """Report in a moment; what happens until then is in the same report."""
        if self._timer is not None:
            loop = asyncio.get_running_loop()
            if self._timer.when() - loop.time() > SOON_S:
                self._timer.cancel()
                self._timer = loop.call_later(SOON_S, self._beat)

    def _beat(self) -> None:
        assert self._app is not None
        assert self._server is not None
        directory = self._app.directory
        calls, room = directory.count(), directory.capacity()
        self._board.report(self._orders.slot, calls, room)
        self._line.send(
            {
                "kind": "report",
                "calls": calls,
                "room": room,
                "sockets": self._server.media_sockets,
                "taken": self._taken,
                "draining": directory.draining,
            }
        )
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._beat)
