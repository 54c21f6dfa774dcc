"""`offhook serve` as a subprocess. Knows nothing of browsers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

READY_SECONDS = 150
Open = Callable[..., "Page"]
"""The fixture `open_page`."""


class Server:
    """`offhook serve` on a free port, in a folder of its own; `settings` are added to its environment.

    However busy the machine is, calls are taken. `program` serves in offhook's stead."""

    def __init__(
        self,
        home: Path,
        *flags: str,
        settings: Mapping[str, str] | None = None,
        program: Sequence[str] = (str(Path(sys.executable).parent / "offhook"),),
    ) -> None:
        vendors = re.compile(r"OFFHOOK_|TWILIO_|OPENAI_|ELEVENLABS_|LIVEKIT_|USE_WEBSOCKET_AUDIO")
        env = {name: value for name, value in os.environ.items() if not vendors.match(name)}
        env |= {"OFFHOOK_LIMITS__MAX_LOAD": "0"} | dict(settings or {})
        self.lines: list[str] = []
        self._ready = threading.Event()
        command = [*program, "serve", "--port", "0", *flags]
        self.process = subprocess.Popen(
            command, cwd=home, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(READY_SECONDS) or not self.url:
            self.stop()
            pytest.fail("offhook serve did not start:\n" + "\n".join(self.lines[-30:]))

    @property
    def url(self) -> str:
        found = (re.search(r"ready: (http://\S+?)/call", line) for line in self.lines)
        return next((match[1] for match in found if match), "")

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self._reader.join(5)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())
                if "ready: " in line:
                    self._ready.set()
        self._ready.set()
