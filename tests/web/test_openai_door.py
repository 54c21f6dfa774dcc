"""`/v1/realtime` over real sockets: who gets in, and OpenAI's own SDK in conversation with the house."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import websockets
from openai import AsyncOpenAI
from pydantic import SecretStr
from tests.web.stand_ins import on_uvloop
from tests.web.test_media_doors import knock, serving

from offhook.app import build
from offhook.foundation.errors import RefusedError
from offhook.settings import Settings, Speech
from offhook.web.client_secrets import ClientSecrets
from offhook.web.server import DrainingServer, listen

PATH = "/v1/realtime?model=default"
KEY = "sk-house-key-123456"


@on_uvloop
async def test_without_a_key_programs_of_this_machine_get_in(make_stage: Any) -> None:
    async with serving(make_stage()) as port:
        assert await knock(port, PATH) == 101
        assert await knock(port, PATH, Authorization="Bearer anything") == 101
        assert await knock(port, "/v1/realtime") == 101
        assert await knock(port, "/v1/realtime?model=gpt-realtime-2.1") == 101
        assert await knock(port, "/v1/realtime?model=cascade") == 101
        assert await knock(port, "/v1/realtime?model=none") == 404
        assert await knock(port, f"{PATH}&intent=transcription") == 400
        assert await knock(port, f"{PATH}&call_id=rtc_1") == 400
        assert await knock(port, PATH, Origin="https://evil.example") == 403
        assert await knock(port, PATH, Origin=f"http://127.0.0.1:{port}") == 101
        assert await knock(port, PATH, Host="calls.example.com") == 403
        assert await knock(port, PATH, **{"X-Forwarded-For": "203.0.113.9"}) == 403


@on_uvloop
async def test_with_a_key_only_its_holders_get_in(make_stage: Any) -> None:
    stage = make_stage(key=KEY)
    async with serving(stage) as port:
        assert await knock(port, PATH) == 401
        assert await knock(port, PATH, Authorization="Bearer wrong-key-123456") == 401
        assert await knock(port, PATH, Authorization=f"Bearer {KEY}") == 101
        forwarded = {"X-Forwarded-For": "203.0.113.9", "Host": "calls.example.com"}
        assert await knock(port, PATH, Authorization=f"Bearer {KEY}", **forwarded) == 101
        names = f"realtime, openai-insecure-api-key.{KEY}"
        assert await knock(port, PATH, **{"Sec-WebSocket-Protocol": names}) == 101
        assert stage.site.doors["/v1/realtime"].refused == {401: 2}


@on_uvloop
async def test_a_client_secret_opens_the_door_with_its_session(make_stage: Any) -> None:
    stage = make_stage(key=KEY)
    async with serving(stage) as port:
        client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY)
        made = await client.realtime.client_secrets.create(
            session={"type": "realtime", "instructions": "Be brief."}, expires_after={"seconds": 60}
        )
        page = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=made.value)
        async with page.realtime.connect(model="default") as connection:
            created = await connection.recv()
            assert created.session.instructions == "Be brief."
        url = f"ws://127.0.0.1:{port}{PATH}"
        protocols = ["realtime", f"openai-insecure-api-key.{made.value}"]
        async with websockets.connect(url, subprotocols=protocols) as browser:
            assert browser.subprotocol == "realtime"
        assert await knock(port, PATH, Authorization=f"Bearer {made.value}x") == 401
        stage.clock.advance(61)
        assert await knock(port, PATH, Authorization=f"Bearer {made.value}") == 401
        await client.close()
        await page.close()


@on_uvloop
async def test_a_client_secret_opens_the_model_that_it_was_made_for(make_stage: Any) -> None:
    async with serving(make_stage(key=KEY)) as port:
        client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY)
        made = await client.realtime.client_secrets.create(session={"type": "realtime", "model": "default"})
        page = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=made.value)
        async with page.realtime.connect(model="cascade") as connection:
            created = await connection.recv()
            assert created.session.model == "default"
        await client.close()
        await page.close()


@on_uvloop
async def test_a_full_or_stopping_house_says_so(make_stage: Any) -> None:
    stage = make_stage()
    async with serving(stage) as port:
        stage.site.doors["/v1/realtime"]._open = 2 * 400
        assert await knock(port, PATH) == 503
        stage.site.doors["/v1/realtime"]._open = 0
        stage.calls.draining = True
        assert await knock(port, PATH) == 503


def test_secrets_that_are_none(stage: Any) -> None:
    secrets = ClientSecrets(b"s" * 32, stage.clock)
    made, expires = secrets.mint({"type": "realtime"}, 60)
    assert secrets.read(made) == {"type": "realtime"}
    assert expires - stage.clock.wall().timestamp() == 60
    for wrong in ("ek_", "ek_x", made[:-2], made.replace("ek_", "ek_e30.")):
        with pytest.raises(RefusedError):
            secrets.read(wrong)
    with pytest.raises(RefusedError):
        ClientSecrets(b"t" * 32, stage.clock).read(made)


@contextlib.asynccontextmanager
async def house(folder: Path) -> AsyncIterator[AsyncOpenAI]:
    """A whole house with scripted speech, and the SDK as it is, pointed at it."""
    settings = Settings(data=folder, engine="scripted", speech=Speech(vad="energy"), api_key=SecretStr(KEY))
    app = await build(settings)
    listener = listen("127.0.0.1", 0)
    ready = asyncio.Event()
    server = DrainingServer(app.site.asgi, app.site.doors, app.directory, app.clock, on_ready=ready.set)
    app.media.start()
    task = asyncio.create_task(server.run_until_stopped(listener))
    await asyncio.wait_for(ready.wait(), 5)
    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1", api_key=KEY)
    try:
        yield client
    finally:
        await client.close()
        server.should_exit = True
        await asyncio.wait_for(task, 8)
        await app.close()


@on_uvloop
async def test_the_sdk_holds_a_conversation(tmp_path: Path) -> None:
    sound = (np.sign(np.sin(np.arange(24_000) * 0.05)) * 8_000).astype("<i2").tobytes()
    async with house(tmp_path) as client, asyncio.timeout(8):
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            await connection.session.update(
                session={
                    "type": "realtime",
                    "audio": {
                        "input": {"turn_detection": None, "transcription": {"model": "gpt-transcribe"}}
                    },
                }
            )
            await connection.input_audio_buffer.append(audio=base64.b64encode(sound).decode())
            await connection.input_audio_buffer.commit()
            await connection.response.create()
            seen: dict[str, Any] = {}
            audio = 0
            async for event in connection:
                seen[event.type] = event
                if event.type == "response.output_audio.delta":
                    audio += len(base64.b64decode(event.delta))
                if event.type == "response.done":
                    break
            assert "opening hours" in seen["conversation.item.input_audio_transcription.completed"].transcript
            assert "scripted reply" in seen["response.output_audio_transcript.done"].transcript
            assert audio == pytest.approx(2 * 96_000, rel=0.02), "two clauses"
            assert seen["response.done"].response.status == "completed"
            await connection.send({"type": "session.update", "session": {"audio": 7}})  # type: ignore[arg-type]
            while (event := await connection.recv()).type != "error":
                pass
            assert event.error.param == "session.audio"
        with pytest.raises(websockets.InvalidStatus) as caught:
            await client.realtime.connect(model="none").enter()
        assert caught.value.response.status_code == 404
