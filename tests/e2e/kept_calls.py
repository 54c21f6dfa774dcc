"""Calls as a server under test keeps them, by its API. No browsers."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

from served import Server

SEALED_S = 30.0


def sealed(house: Server, call_id: str) -> dict[str, Any]:
    """The call, once its recording is ready."""
    end = time.monotonic() + SEALED_S
    while True:
        call: dict[str, Any] = json.loads(get(f"{house.url}/api/calls/{call_id}"))["call"]
        if call["recording"] == "sealed":
            return call
        assert time.monotonic() < end, f"the recording is {call['recording']}"
        time.sleep(0.1)


def get(url: str) -> bytes:
    """The body; raises HTTPError."""
    with urllib.request.urlopen(url, timeout=20) as response:
        return response.read()  # type: ignore[no-any-return]
