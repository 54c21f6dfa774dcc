"""Who gets a media socket, over real sockets: signatures, tokens, origins, capacity."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import websockets
from tests.web.conftest import TOKEN
from twilio.request_validator import RequestValidator

from offhook.channels.base import Arrival
from offhook.foundation.events import EndReason
from offhook.web.server import DrainingServer, listen

SID = "CA" + "1" * 32
SIGNATURE = RequestValidator(TOKEN).compute_signature("wss://calls.example.com/media/twilio", {})


@contextlib.asynccontextmanager
async def serving(stage: Any) -> AsyncIterator[int]:
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    ready = asyncio.Event()
    server = DrainingServer(stage.site.asgi, stage.site.doors, stage.calls, stage.clock, on_ready=ready.set)
    task = asyncio.create_task(server.run_until_stopped(listener))
    await asyncio.wait_for(ready.wait(), 5)
    try:
        yield port
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 8)


async def knock(port: int, path: str, **headers: str) -> int:
    """The status that an upgrade gets."""
    wanted = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
        **headers,
    }
    async with (
        httpx.AsyncClient() as http,
        http.stream("GET", f"http://127.0.0.1:{port}{path}", headers=wanted) as answer,
    ):
        if answer.status_code != 101:
            assert set(json.loads(await answer.aread())["error"]) == {"code", "message"}
        return answer.status_code


def start(parameters: dict[str, str], call_sid: str = SID) -> str:
    return json.dumps(
        {
            "event": "start",
            "sequenceNumber": "1",
            "streamSid": "MZ" + "2" * 32,
            "start": {
                "accountSid": "AC" + "0" * 32,
                "streamSid": "MZ" + "2" * 32,
                "callSid": call_sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": parameters,
            },
        }
    )


async def ring(port: int, parameters: dict[str, str], **headers: str) -> Any:
    socket = await websockets.connect(f"ws://127.0.0.1:{port}/media/twilio", additional_headers=headers)
    await socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
    await socket.send(start(parameters))
    return socket


async def until(condition: Any) -> None:
    async with asyncio.timeout(3):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_phone_call_from_webhook_to_hang_up(make_stage: Any) -> None:
    stage = make_stage(phone=True)
    door = stage.site.doors["/media/twilio"]
    token = door._ledger.mint(Arrival(agent="default", caller="+1415", vendor_id=SID))
    async with serving(stage) as port:
        socket = await ring(port, {"token": token, "who": "x"}, **{"x-twilio-signature": SIGNATURE})
        await until(lambda: stage.desk.arrivals)
        arrival = stage.desk.arrivals[0]
        assert (arrival.caller, arrival.vendor_id, arrival.address) == ("+1415", SID, "127.0.0.1")
        assert arrival.variables == {"who": "x"}
        again = await ring(port, {"token": token}, **{"X-Twilio-Signature": SIGNATURE})
        with pytest.raises(websockets.ConnectionClosed):
            await again.recv()
        assert again.close_code == 1008
        assert len(stage.desk.arrivals) == 1
        await socket.close()
        await until(lambda: stage.desk.listeners[0].closed)
    assert stage.desk.listeners[0].closed == [EndReason.CALLER_HUNG_UP]


async def test_unsigned_upgrades_are_403_and_reach_no_reception(make_stage: Any) -> None:
    stage = make_stage(phone=True)
    for_http = RequestValidator(TOKEN).compute_signature("https://calls.example.com/media/twilio", {})
    async with serving(stage) as port:
        assert await knock(port, "/media/twilio") == 403
        for wrong in ("", "x", for_http, SIGNATURE[:-2] + "A=", SIGNATURE.lower()):
            assert await knock(port, "/media/twilio", **{"X-Twilio-Signature": wrong}) == 403
        assert await knock(port, "/media/twilio?a=b", **{"X-Twilio-Signature": SIGNATURE}) == 101
    assert stage.desk.arrivals == []
    assert stage.site.doors["/media/twilio"].refused[403] == 6


@pytest.mark.parametrize("parameters", [{}, {"token": ""}, {"token": "guess"}, {"agent": "default"}])
async def test_a_signed_socket_still_needs_its_token(make_stage: Any, parameters: dict[str, str]) -> None:
    stage = make_stage(phone=True)
    async with serving(stage) as port:
        socket = await ring(port, parameters, **{"X-Twilio-Signature": SIGNATURE})
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
    assert socket.close_code == 1008
    assert stage.desk.arrivals == []


async def test_without_a_secret_this_machine_needs_no_token(stage: Any) -> None:
    async with serving(stage) as port:
        socket = await ring(port, {"agent": "default", "from": "+1555", "lang": "en"})
        await until(lambda: stage.desk.arrivals)
        assert await knock(port, "/media/twilio", **{"X-Forwarded-For": "127.0.0.1"}) == 403
        assert await knock(port, "/media/twilio", Host="calls.example.com") == 403
        guess = await ring(port, {"token": "guess"})
        with pytest.raises(websockets.ConnectionClosed):
            await guess.recv()
        await socket.close()
    arrival = stage.desk.arrivals[0]
    assert (arrival.agent, arrival.caller, arrival.variables) == ("default", "+1555", {"lang": "en"})


async def test_capacity_draining_and_unknown_paths(stage: Any) -> None:
    async with serving(stage) as port:
        assert await knock(port, "/media/nothing") == 404
        assert await knock(port, "/api/live") == 404
        for path in ("/media/twilio", "/media/browser"):
            stage.calls.room = 0
            assert await knock(port, path) == 503
            stage.calls.room = 100
            stage.calls.draining = True
            assert await knock(port, path) == 503
            stage.calls.draining = False
        stage.calls.draining = True
        assert await knock(port, "/media/browser?resume=1") == 503
        stage.calls.add("live")
        assert await knock(port, "/media/browser?resume=1") == 101
        assert await knock(port, "/media/twilio?resume=1") == 503


async def browse(port: int, **start: Any) -> Any:
    socket = await websockets.connect(f"ws://127.0.0.1:{port}/media/browser")
    await socket.send(json.dumps({"type": "start", "version": 1, **start}))
    return socket


async def test_pages_of_other_origins_get_no_call(make_stage: Any) -> None:
    stage = make_stage(allowed_origins=["https://www.example.com"], public_url="https://calls.example.com")
    async with serving(stage) as port:
        path = "/media/browser"
        assert await knock(port, path, Origin=f"http://127.0.0.1:{port}") == 101
        assert await knock(port, path, Origin="https://www.example.com") == 101
        assert await knock(port, path, Origin="https://calls.example.com") == 101
        assert await knock(port, path, Origin="https://evil.example") == 403
        assert await knock(port, path, Origin="http://evil.example:80", Host="evil.example:80") == 403
        assert await knock(port, path, Origin="null") == 403


async def test_an_address_has_so_many_calls_and_no_more(stage: Any) -> None:
    async with serving(stage) as port:
        open_calls = [await browse(port) for _ in range(3)]
        assert await knock(port, "/media/browser") == 429
        await open_calls[0].close()
        assert await knock(port, "/media/browser") == 101
        await asyncio.gather(*(socket.close() for socket in open_calls))
        await until(lambda: len(stage.site.doors["/media/browser"]._occupancy) == 0)
        statuses = [await knock(port, "/media/browser") for _ in range(3)]
        assert statuses[-1] == 429, "and begins so many a minute"


async def test_call_tokens_where_they_are_wanted(make_stage: Any) -> None:
    stage = make_stage(require_call_tokens=True)
    async with serving(stage) as port:
        async with stage.client() as http:
            token = (await http.post("/api/call-tokens", json={"agent": "default"})).json()["token"]
        good = await browse(port, token=token, agent="other")
        await until(lambda: stage.desk.arrivals)
        assert stage.desk.arrivals[0].agent == "default", "the token says which agent"
        for wrong in ({}, {"token": token}, {"token": token + "x"}):
            socket = await browse(port, **wrong)
            await socket.wait_closed()
            assert socket.close_code == 1008
        await good.close()
    assert len(stage.desk.arrivals) == 1


async def test_a_page_that_names_no_agent_is_told_which_one_answers(stage: Any) -> None:
    async with serving(stage) as port:
        socket = await browse(port)
        assert json.loads(await socket.recv())["agent"] == "default"
        await socket.close()
    assert stage.desk.arrivals[0].agent == "default"
