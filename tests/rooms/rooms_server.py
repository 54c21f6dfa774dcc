"""A real LiveKit server of one's own on loopback, built by `make livekit`: started, killed, started again."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
KEY = "devkey"
SECRET = "a-secret-of-the-tests-only-0123456789"


def _built() -> Path:
    spec = importlib.util.spec_from_file_location("livekit_server", ROOT / "scripts" / "livekit_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.program()
    assert isinstance(found, Path)
    return found


PROGRAM = _built()
MISSING = [
    *([] if os.access(PROGRAM, os.X_OK) else ["livekit-server (make livekit)"]),
    *([] if importlib.util.find_spec("livekit.rtc") else ["livekit"]),
]
"""What is not installed; a test that needs the server says so and is skipped."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as line:
        line.bind(("", 0))  # it listens on all addresses
        return int(line.getsockname()[1])


class RoomsServer:
    """`url` stays the same over `kill` and `start`; `udp_port` is where its media are."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.udp_port = free_port(socket.SOCK_DGRAM)
        self.url = f"ws://127.0.0.1:{self.port}"
        self._log = folder / f"livekit-{self.port}.log"
        self._config = (
            f"port: {self.port}\n"
            "bind_addresses: ['127.0.0.1']\n"
            f"rtc: {{tcp_port: {free_port()}, udp_port: {self.udp_port}, "
            "use_external_ip: false, node_ip: 127.0.0.1, enable_loopback_candidate: true, stun_servers: []}\n"
            f"keys: {{{KEY}: {SECRET}}}\n"
            "logging: {level: info}\n"
            "room: {empty_timeout: 30, departure_timeout: 5}\n"
        )
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self._log, "ab") as log:
            self._child = subprocess.Popen(
                [PROGRAM, "--dev", "--node-ip", "127.0.0.1", "--config-body", self._config],
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 30
        while True:
            with (
                suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=2) as said,
            ):
                if said.status == 200:
                    return
            assert self._child.poll() is None, f"the LiveKit server does not start:\n{self.log}"
            assert time.monotonic() < end, f"the LiveKit server does not answer:\n{self.log}"
            time.sleep(0.05)

    def kill(self) -> None:
        """As a crash would."""
        if self._child is not None:
            self._child.send_signal(signal.SIGKILL)
            self._child.wait(10)
            self._child = None

    def stop(self) -> None:
        if self._child is not None:
            self._child.send_signal(signal.SIGINT)
            try:
                self._child.wait(5)
                self._child = None
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")[-4_000:] if self._log.exists() else ""
