"""A LiveKit server for the tests of a session, and what keeps tests with its native library honest."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rooms_server import MISSING, RoomsServer


def require_server() -> None:
    """Skip where there is none; never in CI."""
    if MISSING and not os.environ.get("CI"):
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    assert not MISSING, f"CI needs {', '.join(MISSING)}"


@pytest.fixture(scope="session")
def rooms_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoomsServer]:
    require_server()
    running = RoomsServer(tmp_path_factory.mktemp("livekit"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RoomsServer]:
    """One that a test may kill."""
    require_server()
    running = RoomsServer(tmp_path)
    running.start()
    yield running
    running.stop()
