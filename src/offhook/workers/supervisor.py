"""Starts the workers of one port, accepts callers for them, starts again what crashed, passes signals on.

Workers are fresh processes, never forks. No audio, no call and no request passes through here.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable
from typing import Literal

import structlog

from offhook.bus.line import pair
from offhook.foundation.errors import OffhookError, SettingsError
from offhook.settings import Settings
from offhook.web.listener import address, listen
from offhook.workers.berths import take_berths
from offhook.workers.board import Board, make_board
from offhook.workers.hub import Hub
from offhook.workers.orders import Orders

FIRST_DELAY_S = 0.2
LAST_DELAY_S = 30.0
STEADY_S = 60.0
"""A worker that ran for so long is started again at once when it ends."""
HUNG_S = 30.0
"""A worker that said nothing for so long is killed: its calls have been dead for longer."""
GIVE_UP = 5
"""The house ends when no worker is left and so many starts in a row came to nothing."""
END_S = 30.0
"""How long workers may take to keep what was said, after their calls were told to end."""
_ACCEPTS = 64
_log = structlog.get_logger(__name__)


class StartError(OffhookError):
    """A worker could not start."""


def serve(settings: Settings, on_ready: Callable[[str], None] = lambda url: None) -> int:
    """Run `settings.workers` processes until told to stop; returns the exit code. Raises OffhookError when
    they cannot start, OSError when the address cannot be used."""
    if not hasattr(socket, "send_fds") or os.name != "posix":
        raise SettingsError("workers is more than 1: on this system Offhook runs as one process only")
    if not settings.use_websocket_audio:
        raise SettingsError("workers is more than 1: a call at this machine needs workers = 1")
    with listen(settings.host, settings.port) as listener:
        return asyncio.run(Supervisor(settings, listener, on_ready).run())


class Supervisor:
    """One per house. `run` it once."""

    def __init__(self, settings: Settings, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
        self._settings = settings
        self._listener = listener
        self._on_ready = on_ready
        self._berths = take_berths(settings.data, settings.workers)
        self._board_descriptor = make_board()
        self._board = Board(self._board_descriptor)
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._stopping: Literal["", "drain", "end"] = ""
        self._started = False
        self._failure: OffhookError | None = None
        self._fruitless = 0
        self._listening = False
        self._over = asyncio.Event()

    async def run(self) -> int:
        """Until every worker has ended. Raises OffhookError when the first ones could not start."""
        loop = asyncio.get_running_loop()
        self._hub = Hub(len(self._berths), self._ready, self._failed)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        watch = asyncio.create_task(self._watch(), name="watch-workers")
        posts = [
            asyncio.create_task(self._tend(slot), name=f"worker-{slot}") for slot in range(len(self._berths))
        ]
        try:
            await asyncio.gather(*posts)
        finally:
            watch.cancel()
            self._kill_all()
            await asyncio.gather(*posts, watch, return_exceptions=True)
            self._accept_when_ready()
            self._board.close()
            for descriptor in (self._board_descriptor, *(berth.descriptor for berth in self._berths)):
                os.close(descriptor)
        if self._failure is not None:
            raise self._failure
        return 0

    # Processes.

    async def _tend(self, slot: int) -> None:
        """Keep a worker at this post until the house stops."""
        delay, first = FIRST_DELAY_S, True
        while not self._over.is_set():
            began = asyncio.get_running_loop().time()
            try:
                code = await self._run_worker(slot, first)
            except OSError as error:  # no process, memory or descriptor to be had just now
                code = 1
                _log.error("a worker could not be started", worker=slot, error=error.strerror)
            if self._over.is_set():
                return
            first = False
            if not self._started:
                self._give_up(StartError(f"worker {slot} ended before it was ready ({_ending(code)})"))
                return
            lasted = asyncio.get_running_loop().time() - began
            delay = FIRST_DELAY_S if lasted > STEADY_S or code == 0 else delay
            log = _log.info if code == 0 else _log.error
            log(
                "a worker ended and is started again",
                worker=slot,
                ending=_ending(code),
                seconds=round(delay, 1),
            )
            self._hub.posts[slot].restarts += 1
            await self._pause(delay)
            delay = min(2 * delay, LAST_DELAY_S)

    async def _run_worker(self, slot: int, first: bool) -> int:
        """Start a process at this post, and its exit code once it has ended."""
        ours, theirs = pair()
        with theirs:
            berth = self._berths[slot]
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "offhook.workers"),
                    stdin=asyncio.subprocess.PIPE,
                    pass_fds=(theirs.fileno(), self._board_descriptor, berth.descriptor),
                )
            except OSError:
                ours.close()
                raise
            orders = self._orders(slot, first, theirs.fileno())
        self._processes[slot] = process
        self._hub.connect(slot, ours)
        if self._stopping == "end":
            process.kill()
        assert process.stdin is not None
        try:
            process.stdin.write(orders)
            await process.stdin.drain()
            process.stdin.close()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it is gone already
        code = await process.wait()
        del self._processes[slot]
        self._hub.disconnect(slot)
        self._board.forget(slot)
        self._accept_when_ready()
        return code

    def _orders(self, slot: int, first: bool, line: int) -> bytes:
        berths = {number: berth.number for number, berth in enumerate(self._berths)}
        return pickle.dumps(Orders(self._settings, slot, berths, first, line, self._board_descriptor))

    def _ready(self, slot: int) -> None:
        self._fruitless = 0
        if self._stopping:
            self._hub.tell(slot, "drain")
        if not self._started and all(post.ready for post in self._hub.posts):
            self._started = True
            _log.info("workers are ready", workers=len(self._berths))
            self._on_ready(address(self._settings.host, self._listener.getsockname()[1]))
        self._accept_when_ready()

    def _failed(self, slot: int, reason: str, code: int) -> None:
        if not self._started:
            self._give_up(SettingsError(reason) if code == 2 else StartError(reason))
            return
        self._fruitless += 1
        _log.error("a worker could not start", worker=slot, reason=reason)
        if self._fruitless >= GIVE_UP and not self._hub.any_ready:
            self._give_up(StartError(reason))

    def _give_up(self, failure: OffhookError) -> None:
        self._failure = self._failure or failure
        self._over.set()
        self._kill_all()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not for longer than the house goes on."""
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            pass

    def _kill_all(self) -> None:
        for process in list(self._processes.values()):
            if process.returncode is None:
                process.kill()

    async def _watch(self) -> None:
        """Kill what hangs."""
        while True:
            await asyncio.sleep(1.0)
            for slot, process in list(self._processes.items()):
                if self._hub.silent_s(slot) > HUNG_S and process.returncode is None:
                    _log.error("a worker hangs and is killed", worker=slot)
                    process.kill()

    # Signals.

    def _stop(self) -> None:
        """First: no new calls, the live ones go on. Second: they end now."""
        if not self._started:
            self._over.set()
            self._kill_all()
        elif not self._stopping:
            self._stopping = "drain"
            self._over.set()
            self._hub.tell_all("drain")
        elif self._stopping == "drain":
            self._stopping = "end"
            self._hub.tell_all("end")
            asyncio.get_running_loop().call_later(END_S, self._kill_all)

    # Callers.

    def _accept_when_ready(self) -> None:
        """While no worker is ready, callers wait in the backlog."""
        loop = asyncio.get_running_loop()
        wanted = self._started and self._hub.any_ready
        if wanted and not self._listening:
            loop.add_reader(self._listener.fileno(), self._accept)
        elif self._listening and not wanted:
            loop.remove_reader(self._listener.fileno())
        self._listening = wanted

    def _accept(self) -> None:
        for _ in range(_ACCEPTS):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # none waits, the caller is gone, or there are no descriptors left just now
            self._hub.give(connection)


def _ending(code: int) -> str:
    """An exit code in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
