"""Telephone calls through a real server process to a Realtime server: untouched bytes, true truncation."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.e2e.served import Server
from tests.fakes.openai_realtime import KEY, FakeRealtime
from tests.fakes.openai_realtime_voice import FORMATS, spoken_as
from tests.fakes.twilio_phone import Phone
from tests.fakes.voice import encoded

GREETING = "Hello, Vera here."
REPLY = "We are open until six."
ULAW = FORMATS["audio/pcmu"]


@pytest.fixture(scope="module")
def port() -> int:
    """One that is free, for a vendor that comes and goes while the server stays."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


@pytest.fixture(scope="module")
def house(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "OPENAI_API_KEY": KEY,
        "OFFHOOK_OPENAI__URL": f"http://127.0.0.1:{port}/v1",
        "OFFHOOK_OPENAI__REALTIME__SILENCE_MS": "200",
        "OFFHOOK_AGENTS__DEFAULT__GREETING": GREETING,
    }
    running = Server(tmp_path_factory.mktemp("house"), "--engine", "openai-realtime", settings=settings)
    yield running
    running.stop()
    assert not [line for line in running.lines if "Traceback" in line or KEY in line]


@pytest.fixture
async def fake(port: int) -> AsyncIterator[FakeRealtime]:
    async with FakeRealtime(REPLY).serving(port) as fake:
        yield fake
    assert fake.faults == []


@asynccontextmanager
async def on_the_phone(house: Server) -> AsyncIterator[Phone]:
    phone = Phone(pause_s=0.15)  # shorter ones are a busy machine's
    call = asyncio.create_task(phone.call(house.url.replace("http", "ws") + "/media/twilio"))
    try:
        yield phone
    finally:
        phone.hang_up()
        async with asyncio.timeout(5):
            await call


def digest(audio: bytes) -> str:
    return hashlib.sha256(audio).hexdigest()


async def test_bytes_are_identical_end_to_end_both_ways(house: Server, fake: FakeRealtime) -> None:
    async with on_the_phone(house) as phone:
        await phone.until(lambda: phone.heard and not phone.listens)
        phone.say(encoded("ulaw_8000", 0.8))
        await phone.until(lambda: len(phone.heard) == 2 and not phone.listens)
        sent = len(phone.sent)
        await phone.until(lambda: len(fake.talk.heard) >= sent)
    heard = bytes(fake.talk.heard)
    assert digest(heard[:sent]) == digest(bytes(phone.sent[:sent]))
    greeting, reply = phone.heard
    assert digest(bytes(greeting.audio)) == digest(spoken_as(GREETING, ULAW))
    assert digest(bytes(reply.audio)) == digest(spoken_as(REPLY, ULAW))
    assert [digest(bytes(item.audio)) for item in fake.talk.said.values()] == [
        digest(bytes(greeting.audio)),
        digest(bytes(reply.audio)),
    ]
    line = next(line for line in house.lines if "a realtime session is configured" in line)
    for told in ("model=gpt-realtime-2.1", "voice=marin", "format=audio/pcmu", "threshold=0.5"):
        assert told in line


async def test_truncation_is_what_was_heard(house: Server, fake: FakeRealtime) -> None:
    async with on_the_phone(house) as phone:
        await phone.until(lambda: phone.heard and not phone.listens)
        phone.say(encoded("ulaw_8000", 0.6))
        await phone.until(lambda: len(phone.heard) == 2)
        await asyncio.sleep(0.3)
        phone.say(encoded("ulaw_8000", 0.6))
        await phone.until(lambda: phone.heard[1].cleared)
        _, item = list(fake.talk.said.values())[:2]
        await phone.until(lambda: item.truncated_ms is not None)
        interrupted = phone.heard[1]
        assert interrupted.heard_ms is not None
        assert item.truncated_ms == pytest.approx(interrupted.heard_ms, abs=60)
        assert bytes(item.audio).startswith(bytes(interrupted.audio))
        await phone.until(lambda: len(phone.heard) == 3)
    assert fake.talk.errors == []


async def test_a_session_that_breaks_leaves_less_than_two_seconds(house: Server, fake: FakeRealtime) -> None:
    async with on_the_phone(house) as phone:
        await phone.until(lambda: phone.heard and not phone.listens)
        fake.troubles.cut = [4_000]
        fake.troubles.connect_s = fake.troubles.configure_s = 0.2
        phone.say(encoded("ulaw_8000", 0.6))
        await phone.until(lambda: len(fake.talks) == 2 and fake.talk.said)
        await phone.until(lambda: sum(len(heard.audio) for heard in phone.heard[1:]) > 4_000)
    broken, rest = phone.heard[1], phone.heard[-1]
    assert rest.began - broken.at[-1][0] < 2.0
    assert "You: " in fake.talk.system[0]
    assert fake.talk.errors == []


async def test_a_session_that_expires_in_mid_reply_leaves_less_than_two_seconds(
    house: Server, fake: FakeRealtime
) -> None:
    """The vendor ends the session (60 minutes, or its own reasons) while its reply is being heard."""
    fake.pace = 1.0
    async with on_the_phone(house) as phone:
        await phone.until(lambda: phone.heard and not phone.listens)
        fake.troubles.connect_s = fake.troubles.configure_s = 0.2
        phone.say(encoded("ulaw_8000", 0.6))
        await phone.until(lambda: len(phone.heard) == 2 and len(phone.heard[1].audio) > 4_000)
        fake.troubles.expire = [0]
        await phone.until(lambda: len(fake.talks) == 2 and fake.talk.said)
        await phone.until(lambda: len(phone.heard) == 3)
    assert "session_expired" in fake.talks[0].errors
    broken, rest = phone.heard[1:3]
    silence_s = rest.began - broken.at[-1][0]
    print(f"silence of the caller's: {silence_s:.2f} s")  # shown by pytest -rP
    assert silence_s < 2.0
    assert "You: " in fake.talk.system[0], "the next session knows what was said"
    assert "Go on with your last sentence" in fake.talk.events[-1]["response"]["instructions"]


async def test_a_session_that_expires_while_the_caller_speaks_hears_the_turn_again(
    house: Server, fake: FakeRealtime
) -> None:
    async with on_the_phone(house) as phone:
        await phone.until(lambda: phone.heard and not phone.listens)
        fake.troubles.connect_s = fake.troubles.configure_s = 0.2
        phone.say(encoded("ulaw_8000", 1.0))
        await asyncio.sleep(0.3)
        fake.troubles.expire = [0]
        await phone.until(lambda: not phone.speaks)
        ended = time.monotonic()
        await phone.until(lambda: len(phone.heard) == 2)
        silence_s = phone.heard[1].began - ended
    print(f"silence of the caller's: {silence_s:.2f} s")  # shown by pytest -rP
    assert len(fake.talks) == 2
    assert GREETING in fake.talk.system[0]
    assert silence_s < 2.0


def test_a_missing_key_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception) as caught:
        Server(tmp_path, "--engine", "openai-realtime")
    assert "set OPENAI_API_KEY" in str(caught.value)
