"""What does one WebSocket message in and out cost the server, by the library that carries it?

    python bench/servers.py --json servers.json

Echoes Twilio-sized messages (a `media` event of 20 ms, parsed, its payload decoded, encoded and sent back)
from so many connections at 50 a second each: what a media server does besides its work. The server has one
core, the callers another. Server CPU is read from the process; each library serves the same code. Packages
that Offhook does not use are installed into a venv of their own under --cache.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PACKAGES = [
    "uvicorn[standard]==0.54.*",
    "wsproto",
    "websockets",
    "granian[uvloop]",
    "picows==2.3.1",
    "psutil",
]
SERVERS = ("picows", "uvicorn websockets-sansio", "uvicorn websockets", "uvicorn wsproto", "granian")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"
PAYLOAD = base64.b64encode(bytes(range(160))).decode()
MESSAGE = json.dumps(
    {
        "event": "media",
        "sequenceNumber": "42",
        "media": {"track": "inbound", "chunk": "41", "timestamp": "820", "payload": PAYLOAD},
        "streamSid": "MZ18ad3ab5a668481ce02b83e7395059f0",
    }
)


def answer(text: str | bytes) -> str:
    """What the server does with a message: the same in every library."""
    message = json.loads(text)
    audio = base64.b64decode(message["media"]["payload"])
    media = {"payload": base64.b64encode(audio).decode()}
    return json.dumps({"event": "media", "streamSid": message["streamSid"], "media": media})


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The echo as an ASGI application."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": answer(event["text"])})


def serve(name: str, port: int) -> None:
    """In the server's process: runs until it is killed."""
    library, _, kind = name.partition(" ")
    if library == "picows":
        import uvloop

        uvloop.run(_picows(port))
    elif library == "uvicorn":
        import uvicorn

        uvicorn.run(app, port=port, ws=kind, loop="uvloop", log_level="warning", ws_per_message_deflate=False)
    else:
        from granian import Granian
        from granian.constants import Interfaces, Loops

        Granian(
            f"{__file__.removesuffix('.py').rpartition('/')[2]}:app",
            port=port,
            interface=Interfaces.ASGI,
            loop=Loops.uvloop,
            websockets=True,
            log_enabled=False,
        ).serve()


async def _picows(port: int) -> None:
    from picows import WSListener, WSMsgType, ws_create_server

    class Echo(WSListener):  # type: ignore[misc]
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == WSMsgType.TEXT:
                transport.send(WSMsgType.TEXT, answer(frame.get_payload_as_utf8_text()).encode())
            elif frame.msg_type == WSMsgType.CLOSE:
                transport.disconnect()

    server = await ws_create_server(lambda request: Echo(), "127.0.0.1", port)
    await server.serve_forever()


async def load(port: int, connections: int, seconds: float, tree: Any) -> dict[str, Any]:
    """So many callers at 50 messages a second each; the server's CPU time over the window."""
    from picows import WSListener, WSMsgType, ws_connect

    received = 0

    class Caller(WSListener):  # type: ignore[misc]
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            nonlocal received
            received += 1

    url = f"ws://127.0.0.1:{port}/"
    transports = [(await ws_connect(Caller, url))[0] for _ in range(connections)]
    message = MESSAGE.encode()
    ticks = round((seconds + 2) * 50)
    began = start = time.monotonic()
    before = 0.0
    for tick in range(ticks):
        if tick == 100:
            received, before, start = 0, tree(), time.monotonic()
        for transport in transports:
            transport.send(WSMsgType.TEXT, message)
        await asyncio.sleep(max(0.0, began + (tick + 1) * 0.02 - time.monotonic()))
    spent, wall = tree() - before, time.monotonic() - start
    for transport in transports:
        transport.disconnect()
    return {
        "messages": received,
        "answered": round(received / (connections * (ticks - 100)), 4),
        "us_per_message": round(spent / max(1, received) * 1e6, 1),
        "core": round(spent / wall, 3),
    }


def measure(name: str, python: Path, given: argparse.Namespace) -> dict[str, Any]:
    import psutil
    import uvloop

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [str(python), Path(__file__).name, "--serve", name, "--port", str(port)], cwd=Path(__file__).parent
    )
    os.sched_setaffinity(server.pid, {given.server_core})
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        process = psutil.Process(server.pid)

        def tree() -> float:
            times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
            return sum(t.user + t.system for t in times)

        return {"server": name, **uvloop.run(load(port, given.connections, given.seconds, tree))}
    finally:
        for child in psutil.Process(server.pid).children(recursive=True):
            child.kill()
        server.kill()
        server.wait()


def venv(cache: Path) -> Path:
    """A Python with every library in it."""
    python = cache / "servers" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.port)
        return
    python = venv(given.cache)
    os.sched_setaffinity(0, {given.load_core})
    results = []
    for name in SERVERS:
        results.append(measure(name, python, given))
        print(
            "{server:28} {us_per_message:6.1f} µs  {core:5.3f} core  answered {answered}".format(
                **results[-1]
            )
        )
    if given.json is not None:
        given.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
