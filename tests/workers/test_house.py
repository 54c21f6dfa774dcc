"""Two real workers on one port: calls are shared out, and any worker sees and controls them all."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack
from html import unescape
from pathlib import Path

import httpx
import pytest
from picows import ws_connect
from tests.chaos.callers import media_url, on_the_line, until
from tests.e2e.served import Server
from tests.workers.conftest import CALLS_PER_ADDRESS, MAX_CALLS, answered_by, asking, by_worker, page
from websockets.exceptions import ConnectionClosed, InvalidStatus

from offhook.cli.caller.line import CallError, Line, connect
from offhook.foundation.ids import berth_of
from offhook.protocols.twilio_peer import TwilioPeer


async def test_calls_are_shared_out_evenly_and_any_worker_lists_and_ends_them(house: Server) -> None:
    async with AsyncExitStack() as stack, asking(house) as console:
        lines = []
        for _ in range(4):
            lines.append(await stack.enter_async_context(on_the_line(house.port)))
            await asyncio.sleep(0.1)  # a worker's count reaches the supervisor
        calls = await by_worker(console, 4)
        assert {worker: len(ids) for worker, ids in calls.items()} == {0: 2, 1: 2}
        everyone = {call for ids in calls.values() for call in ids}

        async def both_answered() -> bool:
            assert set(await console.begun(4)) == everyone
            assert await console.live() == 4
            return answered_by(house, "/api/calls") == {0, 1}

        await until(both_answered, 3, "both workers have listed the calls")
        async with asking(house, keep=True) as one_worker:
            for call in everyone:
                answer = await one_worker.http.post(f"/api/calls/{call}/hang-up")
                assert answer.status_code == 204
            again = await one_worker.http.post(f"/api/calls/call_{'0' * 26}/hang-up")
            assert again.status_code == 404
        for line in lines:
            await asyncio.wait_for(line.closed.wait(), 5)

        async def all_ended() -> bool:
            rows = {row["id"]: row["end_reason"] for row in await console.calls()}
            return {rows[call] for call in everyone} == {"agent_hung_up"}

        await until(all_ended, 3, "the rows say so")


async def test_one_scrape_sees_all_workers(house: Server) -> None:
    async with AsyncExitStack() as stack, asking(house) as console:
        for _ in range(2):
            await stack.enter_async_context(on_the_line(house.port))
        await console.begun(2)
        for _ in range(2):
            found = await console.metrics()
            assert [found[f'offhook_calls_live{{worker="{n}",channel="phone"}}'] for n in (0, 1)] == [1, 1]
            assert [found[f'offhook_worker_up{{worker="{n}"}}'] for n in (0, 1)] == [1, 1]
            assert found['process_cpu_seconds_total{worker="1"}'] > 0


async def announce(console_url: str, vendor_id: str) -> str:
    """The token that the voice webhook gives to a phone call."""
    async with httpx.AsyncClient(base_url=console_url) as http:
        form = {"CallSid": vendor_id, "From": "+15550100", "To": "+15550199", "Direction": "inbound"}
        answer = await http.post("/hooks/twilio/voice", data=form)
    found = re.search(r'name="token" value="([^"]+)"', answer.text)
    assert found is not None, answer.text
    return unescape(found[1])


async def phone(server: Server, call_sid: str, token: str) -> Line:
    """A phone call's socket, as its webhook told it."""
    line = Line(TwilioPeer(call_sid, "MZ" + call_sid[2:], "AC" + "0" * 32, {"token": token}))
    await ws_connect(lambda: line, media_url(server.port))
    return line


async def test_a_phone_call_is_taken_once_whoever_announced_it(house: Server) -> None:
    call_sid = "CA" + "1" * 32
    tokens = [await announce(house.url, call_sid) for _ in range(2)]
    async with asking(house) as console:
        lines = [await phone(house, call_sid, token) for token in (*tokens, tokens[0])]
        running = [asyncio.create_task(line.run()) for line in lines]

        async def refused() -> bool:
            return sum(line.closed.is_set() for line in lines) == 2

        await until(refused, 3, "two of three were refused")
        [call] = await console.begun(1)
        row = await console.call(call)
        assert (row["caller"], row["called"]) == ("+15550100", "+15550199")
        assert sorted(line.close_code or 0 for line in lines) == [0, 1008, 1008]

        # The vendor says to any worker that the call is over.
        async with asking(house, keep=True) as one_worker:
            for ended in ("CA" + "2" * 32, call_sid):
                form = {"CallSid": ended, "CallStatus": "completed"}
                assert (await one_worker.http.post("/hooks/twilio/status", data=form)).status_code == 204
        await asyncio.wait_for(asyncio.gather(*running), 3)


async def test_a_call_token_is_good_for_one_call_of_two_workers(house: Server) -> None:
    async with asking(house) as console:
        token = (await console.http.post("/api/call-tokens", json={})).json()["token"]

        async def try_it() -> str:
            async with page(house, token=token) as mine:
                try:
                    await mine.expect("started")
                    await mine.client.send(json.dumps({"type": "end"}))
                    await mine.expect("ended")
                except ConnectionClosed as closed:
                    return str(closed.rcvd.code if closed.rcvd else None)
                return "started"

        assert sorted(await asyncio.gather(*(try_it() for _ in range(4)))) == ["1008"] * 3 + ["started"]


async def test_a_recording_is_deleted_by_the_worker_that_has_it(house: Server) -> None:
    async with AsyncExitStack() as stack, asking(house) as console:
        for _ in range(4):
            await stack.enter_async_context(on_the_line(house.port))
        calls = [call for found in (await by_worker(console, 4)).values() for call in found]
        folder = Path(f"/proc/{house.process.pid}/cwd").resolve() / "data" / "recordings"
        await until(lambda: all((folder / call).is_dir() for call in calls), 3, "all are being taped")
        async with asking(house, keep=True) as one_worker:
            for call in calls:
                answer = await one_worker.http.delete(f"/api/calls/{call}/recording")
                assert answer.status_code == 204
                assert (await one_worker.http.post(f"/api/calls/{call}/hang-up")).status_code == 204
        await console.empty()

        async def ended() -> bool:
            rows = [await console.call(call) for call in calls]
            return {row["state"] for row in rows} == {"ended"}

        await until(ended, 3, "all have ended")
        await asyncio.sleep(0.3)  # longer than sealing so short a tape takes
        assert {(await console.call(call))["recording"] for call in calls} == {"deleted"}
        assert [path.name for path in folder.iterdir() if path.name.startswith(tuple(calls))] == []


async def test_limits_hold_for_both_workers_together(house: Server) -> None:
    async with AsyncExitStack() as stack, asking(house) as console:
        pages = [await stack.enter_async_context(page(house)) for _ in range(CALLS_PER_ADDRESS)]
        started = [await each.expect("started") for each in pages]
        workers = [berth_of(each["call_id"]) for each in started]
        assert workers.count(0) == workers.count(1) == CALLS_PER_ADDRESS // 2
        with pytest.raises(InvalidStatus, match="429"):
            await stack.enter_async_context(page(house))

        for _ in range(MAX_CALLS - CALLS_PER_ADDRESS):
            await stack.enter_async_context(on_the_line(house.port))
        for _ in range(2):
            with pytest.raises(CallError, match="503"):
                await connect(media_url(house.port), {})
        form = {"CallSid": "CA" + "3" * 32}
        assert "busy" in (await console.http.post("/hooks/twilio/voice", data=form)).text
        assert (await console.http.get("/readyz")).json() == {
            "ready": False,
            "reasons": ["full"],
            "calls": MAX_CALLS,
        }
        for each in pages:
            await each.client.send(json.dumps({"type": "end"}))


async def test_a_browser_comes_back_to_its_call_through_any_worker(house: Server) -> None:
    async with page(house) as first, asking(house) as console:
        started = await first.expect("started")
        worker, secret = berth_of(started["call_id"]), started["resume"]
        assert secret.startswith(f"{worker}.")
        # The next connections go to the other worker, which has no call.
        for number, query in enumerate(["", "?resume=1", ""]):
            async with page(house, query, resume=secret) as back:
                # In the same breath as the start: nothing that was read may be lost on the way.
                await back.client.send(json.dumps({"type": "ping", "id": number}))
                again = await back.expect("started")
                assert (again["call_id"], again["resumed"]) == (started["call_id"], True)
                assert (await back.expect("pong"))["id"] == number
                assert await console.begun(1) == [started["call_id"]]
                if number == 0:
                    with pytest.raises(ConnectionClosed):
                        await first.expect("nothing")
                    assert first.client.close_reason == "resumed elsewhere"
                if number == 2:
                    await back.client.send(json.dumps({"type": "end"}))
                    await back.expect("ended")
                else:
                    back.client.transport.abort()
        async with page(house, resume=secret) as late:
            assert (await late.expect("error"))["code"] == "gone"
        for unknown in ("", f"{1 - worker}.", "9.", "x"):
            async with page(house, resume=unknown + "nothing") as wrong:
                assert (await wrong.expect("error"))["code"] == "gone"
