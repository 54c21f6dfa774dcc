"""OpenAI's own SDK with two real workers: sessions are shared out, and a secret of one opens the other."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from tests.chaos.callers import Console, until
from tests.e2e.served import Server
from tests.workers.conftest import asking, by_worker

SOUND = (np.sign(np.sin(np.arange(24_000) * 0.05)) * 8_000).astype("<i2").tobytes()
MANUAL = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


@asynccontextmanager
async def sdk(server: Server, key: str = "any") -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=key) as client:
        yield client


async def heard(connection: AsyncRealtimeConnection) -> tuple[bytes, str]:
    """The sound and the status of the response that is under way."""
    sound = bytearray()
    async with asyncio.timeout(5):
        async for event in connection:
            assert event.type != "error", event
            if event.type == "response.output_audio.delta":
                sound += base64.b64decode(event.delta)
            if event.type == "response.done":
                return bytes(sound), str(event.response.status)
    raise AssertionError("the session ended")


async def speaks(connection: AsyncRealtimeConnection) -> None:
    await connection.session.update(session=MANUAL)  # type: ignore[arg-type]
    await connection.input_audio_buffer.append(audio=base64.b64encode(SOUND).decode())
    await connection.input_audio_buffer.commit()
    await connection.response.create()


async def by_both(console: Console) -> bool:
    """Whether the four calls are not all in one worker."""
    return set(await by_worker(console, 4)) == {0, 1}


async def test_sessions_are_shared_out_and_each_is_answered(house: Server) -> None:
    async with sdk(house) as client, asking(house) as console, AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(client.realtime.connect(model="default")) for _ in range(4)]
        for line in lines:
            await speaks(line)
        answers = await asyncio.gather(*(heard(line) for line in lines))
        assert [status for _, status in answers] == ["completed"] * 4
        assert all(len(sound) > 24_000 for sound, _ in answers)
        assert await by_both(console)


async def test_a_secret_of_one_worker_opens_the_other_and_what_it_lists_is_the_same(house: Server) -> None:
    async with sdk(house) as client, asking(house) as console, AsyncExitStack() as stack:
        made = await client.realtime.client_secrets.create(
            session={"type": "realtime", "instructions": "Be brief."}, expires_after={"seconds": 60}
        )
        page = await stack.enter_async_context(sdk(house, made.value))
        for _ in range(4):
            line = await stack.enter_async_context(page.realtime.connect(model="default"))
            created = await line.recv()
            assert created.type == "session.created"
            assert created.session.instructions == "Be brief."  # type: ignore[union-attr]
            await speaks(line)
            assert (await heard(line))[1] == "completed"
        assert await by_both(console)


async def test_a_session_is_hung_up_through_any_worker(house: Server) -> None:
    async with sdk(house) as client, asking(house, keep=True) as one_worker, AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(client.realtime.connect(model="default")) for _ in range(2)]
        for line in lines:
            await speaks(line)
            await heard(line)
        for call in await one_worker.begun(2):
            assert (await one_worker.http.post(f"/api/calls/{call}/hang-up")).status_code == 204

        async def over() -> bool:
            return await one_worker.live() == 0

        await until(over, 5, "both sessions have ended")
