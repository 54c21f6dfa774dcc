"""OpenAI's own SDK holds a spoken conversation with a real server on the local models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from served import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
EXAMPLE = Path(__file__).parents[2] / "examples" / "realtime_client.py"


def test_the_sdk_talks_with_the_local_models(server: Server) -> None:
    """The SDK has a process of its own, as its users have; three questions, in real time."""
    command = [sys.executable, str(EXAMPLE), "--url", server.url]
    found = subprocess.run(command, capture_output=True, text=True, timeout=90)
    print(found.stdout)
    assert found.returncode == 0, found.stderr
    lines = found.stdout
    for caller, agent in (
        ("What are your opening hours?", "9 am to 6 pm"),
        ("How much is a haircut?", "35 dollars"),
        ("Where are you located?", "Harbour Street"),
    ):
        assert lines.index(f"caller: {caller}") < lines.index(agent, lines.index(caller))
    assert "error:" not in lines
    (call,) = [c for c in httpx.get(f"{server.url}/api/calls").json()["calls"] if c["channel"] == "realtime"][
        :1
    ]
    assert call["agent"] == "default"
