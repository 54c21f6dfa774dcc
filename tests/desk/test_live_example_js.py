"""The JavaScript example as a program: an operator and a caller on a real call."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.desk.desk_stage import DeskStage, loudness, staged

EXAMPLE = Path(__file__).parents[2] / "examples" / "live_operator.js"
OLDEST = (20, 19)


def node() -> list[str]:
    """The program, with what an older one needs for WebSocket; skips where it is not installed."""
    path = shutil.which("node")
    said = subprocess.run([path, "--version"], capture_output=True, text=True).stdout if path else ""
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if not path or version < OLDEST:
        reason = f"not installed: node from {'.'.join(map(str, OLDEST))} on"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return [path, *(["--experimental-websocket", "--no-warnings"] if version < (22,) else [])]


@pytest.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with staged() as found:
        yield found


async def run(port: int, *arguments: str) -> tuple[int, str]:
    """What it prints, and its exit code."""
    program = [*node(), str(EXAMPLE), f"ws://127.0.0.1:{port}", *arguments]
    child = await asyncio.create_subprocess_exec(*program, stdout=PIPE, stderr=STDOUT)
    try:
        async with asyncio.timeout(20):
            text, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode is not None
    return child.returncode, text.decode()


async def test_it_sits_on_a_call_talks_and_leaves(stage: DeskStage) -> None:
    caller = await stage.caller()
    code, text = await run(stage.port, "test123", "operator", "take_over", "1")
    assert code == 0, text
    assert "[takeover] this machine: take_over" in text
    assert "closed with 1000" in text
    assert loudness(caller.sound, 880) > -30, "the caller heard its tone"


async def test_who_is_refused_is_told_why(stage: DeskStage) -> None:
    code, text = await run(stage.port, "call_" + "0" * 26, "operator", "listen", "1")
    assert (code, "error: there is no live call with that id" in text) == (1, True)
    if "--experimental-websocket" in node():
        return  # that one does not tell of a refused upgrade
    code, text = await run(stage.port, "no such id", "operator", "listen", "1")
    assert (code, "or it refused" in text) == (1, True)
