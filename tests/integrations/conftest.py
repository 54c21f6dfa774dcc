"""What the first event loop of a process leaves for the next ones is not the first test's leak."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(scope="session", autouse=True)
def loops_are_warm() -> None:
    if sys.platform != "win32":
        import uvloop

        async def nothing() -> None: ...

        uvloop.run(nothing())
