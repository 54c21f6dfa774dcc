"""SIGTERM of a real server: a live call goes on, new ones are refused; a second one ends it politely."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from pathlib import Path

import pytest
from tests.chaos.callers import console_of, media_url, on_the_line, traces, until
from tests.chaos.conftest import Serve

from offhook.cli.caller.clips import Clip
from offhook.cli.caller.line import CallError, connect


async def test_a_live_call_outlives_the_first_signal_and_not_the_second(
    serve: Serve, question: Clip, tmp_path: Path
) -> None:
    server = serve()
    async with console_of(server) as console, on_the_line(server.port) as line:
        [call] = await console.begun()
        server.process.send_signal(signal.SIGTERM)
        await until(lambda: any("draining" in each for each in server.lines), 2, "the server drains")
        ready = await console.http.get("/readyz")
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["draining"])
        with pytest.raises(CallError, match="503"):
            await connect(media_url(server.port), {})

        await until(lambda: line.playout.quiet_for(line.now) > 1_600, 5, "the greeting was heard")
        heard = line.playout.counts.received
        line.say(question.audio)
        await until(lambda: line.playout.counts.received > heard, 6, "the live call is still answered")

        server.process.send_signal(signal.SIGTERM)
        took = await until(line.closed.is_set, 6, "the second signal ends the call")
        code = await asyncio.to_thread(server.process.wait, 6)
    assert took <= 5.5
    assert (code, line.close_code) == (0, 1000)
    assert traces(server) == []

    with sqlite3.connect(tmp_path / "data" / "offhook.db") as database:
        select = "SELECT state, end_reason, recording FROM calls WHERE id = ?"
        assert database.execute(select, (call,)).fetchone() == ("ended", "server_stopped", "sealed")
    database.close()
