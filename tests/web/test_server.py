"""The server's socket and its stop: live calls finish first, new ones are refused, nothing outlives it."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from tests.web.stand_ins import Calls, on_uvloop
from tests.web.test_media_doors import knock
from tests.web.test_sockets import EchoDoor

from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import SettingsError
from offhook.foundation.events import EndReason
from offhook.web.server import DrainingServer, ServerLimits, listen


def test_the_listening_socket_bounds_its_connections() -> None:
    with listen("127.0.0.1", 0) as listener:
        client = socket.create_connection(listener.getsockname())
        listener.setblocking(True)
        accepted, _ = listener.accept()
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 32_768
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5_000
        accepted.close()
        client.close()


def test_an_address_that_cannot_be_used_is_told() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(OSError, match="in use") as taken:
        listen("127.0.0.1", listener.getsockname()[1])
    assert taken.value.errno == errno.EADDRINUSE
    with pytest.raises(OSError, match="assign") as foreign:
        listen("203.0.113.1", 0)
    assert foreign.value.errno == errno.EADDRNOTAVAIL
    with pytest.raises(SettingsError, match="'::x': not an address"):
        listen("::x", 0)


class Door(EchoDoor):
    """An echo that refuses new sockets while the directory drains, as the real doors do."""

    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self._calls = calls

    def open(self, request: Any, peer: str) -> Any:
        from offhook.web.sockets import refusal

        return refusal(503, "stopping") if self._calls.draining else super().open(request, peer)


async def begin(calls: Calls, limits: ServerLimits) -> tuple[DrainingServer, asyncio.Task[None], int]:
    from fastapi import FastAPI

    from offhook.web.health import health_routes

    app = FastAPI()
    app.include_router(health_routes(calls))
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    ready = asyncio.Event()
    server = DrainingServer(app, {"/media/echo": Door(calls)}, calls, SystemClock(), limits, ready.set)
    task = asyncio.create_task(server.run_until_stopped(listener))
    await asyncio.wait_for(ready.wait(), 5)
    return server, task, port


@on_uvloop
async def test_live_calls_finish_before_the_server_does() -> None:
    calls = Calls()
    calls.add("live")
    server, task, port = await begin(calls, ServerLimits(drain_seconds=60))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        assert (await http.get("/readyz")).status_code == 200
        media = await websockets.connect(f"ws://127.0.0.1:{port}/media/echo")
        server.stop()
        assert (await http.get("/readyz")).json()["reasons"] == ["draining"]
        assert await knock(port, "/media/echo") == 503
        for _ in range(5):
            await media.send(b"still here")
            assert await media.recv() == b"still here"
            await asyncio.sleep(0.05)
        assert not task.done()
    began = time.monotonic()
    del calls.calls["live"]
    await asyncio.wait_for(task, 5)
    assert time.monotonic() - began < 2
    assert calls.ended == []
    with pytest.raises(websockets.ConnectionClosed):
        await media.recv()
    assert media.close_code == 1001
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


@on_uvloop
async def test_after_the_drain_time_calls_are_ended() -> None:
    calls = Calls()
    calls.add("live")
    server, task, _ = await begin(calls, ServerLimits(drain_seconds=0))
    server.stop()
    await asyncio.wait_for(task, 3)
    assert calls.ended == [("live", EndReason.SERVER_STOPPED)]


@on_uvloop
async def test_a_second_stop_ends_calls_and_stubborn_ones_do_not_hold_it() -> None:
    calls = Calls(stubborn=True)
    calls.add("live")
    server, task, port = await begin(calls, ServerLimits(drain_seconds=60, goodbye_seconds=0.3))
    deaf = await asyncio.open_connection("127.0.0.1", port)
    server.stop()
    await asyncio.sleep(0.25)
    assert not task.done()
    began = time.monotonic()
    server.stop()
    server.stop()
    await asyncio.wait_for(task, 5)
    assert time.monotonic() - began < 2
    assert calls.ended == [("live", EndReason.SERVER_STOPPED)]
    deaf[1].close()


SCRIPT = """
import asyncio, sys, uvloop
from fastapi import FastAPI
from offhook.foundation.clock import SystemClock
from offhook.web.server import DrainingServer, ServerLimits, listen
from tests.web.stand_ins import Calls

async def main():
    calls = Calls()
    calls.add("live")
    listener = listen("127.0.0.1", 0)
    server = DrainingServer(FastAPI(), {}, calls, SystemClock(), ServerLimits(goodbye_seconds=1.2),
                            lambda: print("ready", flush=True))
    await server.run_until_stopped(listener)
    print("cleaned up", calls.ended, flush=True)

asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main())
"""


async def test_real_signals_stop_it_and_cleaning_up_still_runs() -> None:
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, stdout=asyncio.subprocess.PIPE, cwd=root
    )
    assert process.stdout is not None
    async with asyncio.timeout(15):
        assert await process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 0.3)
        process.send_signal(signal.SIGINT)
        lines = (await process.stdout.read()).decode().splitlines()
        assert lines[-1].startswith("cleaned up [('live', <EndReason.SERVER_STOPPED")
        assert await process.wait() == 0
