"""Workers that are killed, a house that drains, a supervisor that is killed, a start that cannot be."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.chaos.callers import media_url, on_the_line, traces, until
from tests.e2e.served import Server
from tests.workers.conftest import QUICK, Serve, asking, by_worker, gone, is_alive, page, process_of

from offhook.cli.caller.line import CallError, connect
from offhook.foundation.errors import SettingsError
from offhook.foundation.ids import berth_of
from offhook.settings import Settings
from offhook.workers.supervisor import serve as serve_workers

RESTARTS = 'offhook_worker_restarts_total{worker="%d"}'


async def test_a_killed_worker_takes_only_its_own_calls_with_it(house: Server) -> None:
    async with AsyncExitStack() as stack, asking(house) as console:
        lines = [await stack.enter_async_context(on_the_line(house.port)) for _ in range(2)]
        calls = {worker: found[0] for worker, found in (await by_worker(console, 2)).items()}
        both = process_of(house, 0), process_of(house, 1)
        before = await console.metrics()
        await asyncio.sleep(0.2)  # something to seal
        os.kill(both[0], signal.SIGKILL)

        async def one_died() -> bool:
            return sum(line.closed.is_set() for line in lines) == 1

        await until(one_died, 2, "the killed worker's call is gone")
        [left] = [line for line in lines if not line.closed.is_set()]
        # Meanwhile new callers go to who is left, none is turned away.
        async with on_the_line(house.port):
            assert len((await by_worker(console, 3))[1]) == 2  # the dead one's row is not marked yet
        heard = left.playout.counts.messages
        row = await console.sealed(calls[0], 20)
        assert (row["state"], row["end_reason"]) == ("recovered", "crashed")
        row = await console.call(calls[1])
        assert (row["state"], row["recording"]) == ("live", "taping")
        assert not left.closed.is_set()
        assert left.playout.counts.messages >= heard

        await until(lambda: process_of(house, 0) != both[0], 20, "the worker is back")

        async def answered() -> bool:
            found = await console.metrics()
            return (
                found['offhook_worker_up{worker="0"}'] == 1
                and found[RESTARTS % 0] == before[RESTARTS % 0] + 1
                and found[RESTARTS % 1] == before[RESTARTS % 1]
            )

        await until(answered, 5, "the metrics show it")
        await console.begun(1)
        async with on_the_line(house.port), on_the_line(house.port):
            assert sorted(await by_worker(console, 3)) == [0, 1]
        assert process_of(house, 1) == both[1]
    async with asking(house) as console:
        await console.empty()
        row = await console.sealed(calls[1])
        assert (row["state"], row["end_reason"]) == ("ended", "caller_hung_up")


async def test_a_house_drains_and_ends_with_its_last_call(serve: Serve) -> None:
    house = serve()
    async with AsyncExitStack() as stack, asking(house) as console:
        lines = [await stack.enter_async_context(on_the_line(house.port)) for _ in range(3)]
        calls = await by_worker(console, 3)
        house.process.send_signal(signal.SIGTERM)
        await until(lambda: sum("draining" in line for line in house.lines) == 2, 2, "both drain")

        async def refused() -> bool:
            ready = await console.http.get("/readyz")
            return (ready.status_code, ready.json()["reasons"]) == (503, ["draining"])

        await until(refused, 2, "both say so")
        with pytest.raises(CallError, match="503"):
            await connect(media_url(house.port), {})
        alone = next(worker for worker, found in calls.items() if len(found) == 1)
        assert (await console.http.post(f"/api/calls/{calls[alone][0]}/hang-up")).status_code == 204
        await gone(process_of(house, alone))
        # Its worker has ended; those of the other go on, and are answered for.
        assert await console.live() == 2
        assert sum(line.closed.is_set() for line in lines) == 1
        await console.http.post(f"/api/calls/{calls[1 - alone][0]}/hang-up")
        house.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(house.process.wait, 10)
    assert code == 0
    assert {line.close_code for line in lines} == {1000}
    assert traces(house) == []


async def test_calls_outlive_a_killed_supervisor_and_its_successor_leaves_them_alone(serve: Serve) -> None:
    house = serve()
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(on_the_line(house.port))
        async with asking(house) as console:
            [[call]] = (await by_worker(console, 1)).values()
        workers = [process_of(house, 0), process_of(house, 1)]
        holder = workers[berth_of(call)]
        house.process.kill()
        await gone(workers[1 - berth_of(call)])
        assert not line.closed.is_set()

        second = await asyncio.to_thread(serve)  # the caller goes on speaking meanwhile
        async with asking(second) as console:
            row = await console.call(call)
            assert (row["state"], row["recording"]) == ("live", "taping")
            async with on_the_line(second.port):
                others = await console.begun(2)
                assert {berth_of(each) for each in others} - {berth_of(call)}
            assert is_alive(holder)
            await line.hang_up()
            await gone(holder)
            row = await console.sealed(call)
            assert (row["state"], row["end_reason"]) == ("ended", "caller_hung_up")


async def test_one_worker_may_be_replaced_while_the_house_serves(house: Server) -> None:
    drained = sum("draining" in line for line in house.lines)
    async with page(house) as call, asking(house) as console:
        held = berth_of((await call.expect("started"))["call_id"])
        process = process_of(house, 1 - held)
        os.kill(process, signal.SIGTERM)
        await gone(process)
        await until(lambda: process_of(house, 1 - held) != process, 20, "a new one serves")
        os.kill(process_of(house, held), signal.SIGTERM)
        both = drained + 2
        await until(
            lambda: sum("draining" in line for line in house.lines) == both, 2, "the other one drains"
        )

        async def elsewhere() -> bool:
            async with page(house) as other:
                return berth_of((await other.expect("started"))["call_id"]) == 1 - held

        await until(elsewhere, 5, "callers go to the new one")
        assert await console.live() >= 1
        await call.client.send(json.dumps({"type": "end"}))
        await call.expect("ended")
    first = process_of(house, held)
    await gone(first)
    await until(lambda: process_of(house, held) != first, 20, "both serve again")


def run(home: Path, *flags: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A start that cannot be."""
    command = [str(Path(sys.executable).parent / "offhook"), "serve", "--port", "0", "--workers", "2", *flags]
    env = {name: value for name, value in os.environ.items() if not name.startswith("OFFHOOK_")}
    return subprocess.run(
        command, cwd=home, env=env | QUICK | settings, text=True, capture_output=True, timeout=30
    )


def test_workers_that_cannot_start_end_the_start_with_one_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "offhook.db").write_bytes(b"no database" * 500)
    ended = run(tmp_path, "--engine", "scripted")
    assert ended.returncode == 1
    assert ended.stderr.count("offhook: ") == 1
    assert "database" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "ready" not in ended.stdout


def test_what_workers_cannot_do_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(workers=2, data=tmp_path, port=0, use_websocket_audio=False)
    with pytest.raises(SettingsError, match="needs workers = 1"):
        serve_workers(settings)
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(SettingsError, match="on this system Offhook runs as one process only"):
        serve_workers(settings)
