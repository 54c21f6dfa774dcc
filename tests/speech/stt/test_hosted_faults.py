"""What hosted recognizers make of a vendor that refuses, stalls, floods or talks nonsense: a clear error."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any

import pytest
from tests.fakes.tone_words import speak
from tests.speech.stt.hosted_vendors import CASES, LIMITS, Case, limits, staged

from offhook.audio.frame import PHONE
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError

ORDER = "i would like to book a table"


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


async def failure(
    case: Case, options: dict[str, Any] | None = None, **troubles: Any
) -> tuple[ProviderError, int]:
    """The error of an utterance, and how many connections were tried for it."""
    async with staged(case, options=options, **troubles) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        with pytest.raises(ProviderError) as raised:
            await stage.recognizer.finish()
        assert raised.value.provider == stage.stt.name
        assert case.key not in raised.value.reason
        return raised.value, len(stage.fake.visits)


async def test_a_wrong_key_is_not_tried_again(case: Case) -> None:
    async with staged(case, options={"key": "wrong"}) as stage:
        for _ in range(2):
            stage.recognizer.begin()
            await stage.push(speak(ORDER, PHONE, 160))
            with pytest.raises(DeniedError, match="refused the key") as raised:
                await stage.recognizer.finish()
            assert not raised.value.retryable
        assert len(stage.fake.visits) == 1


@pytest.mark.parametrize("key", ["", "kéy", "k\ney"])
def test_no_key_is_found_out_at_once(case: Case, key: str) -> None:
    with pytest.raises(DeniedError, match="key") as raised:
        case.provider(key)
    assert key not in raised.value.reason or not key


def test_other_servers_may_do_without_a_key(case: Case) -> None:
    case.provider("", url="http://localhost:8000/v1")


@pytest.mark.parametrize("url", ["", "localhost", "ftp://localhost"])
def test_an_address_must_be_one(case: Case, url: str) -> None:
    with pytest.raises(ProviderError, match="address"):
        case.provider("key", url=url)


@pytest.mark.parametrize("name", ["openai", "scribe"])
async def test_an_unknown_model_is_not_tried_again(name: str) -> None:
    """Told in the session; where it is in the address, the handshake is refused: the next test."""
    error, visits = await failure(CASES[name], {"model": "no-such-model"})
    assert isinstance(error, UnfitError)
    assert "model" in error.reason
    assert visits == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
async def test_a_refusal_for_good_is_not_tried_again(case: Case, status: int) -> None:
    error, visits = await failure(case, status=status)
    assert not error.retryable
    assert visits == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_refusal_for_now_is_tried_once_more(case: Case, status: int) -> None:
    error, visits = await failure(case, status=status)
    assert isinstance(error, BusyError)
    assert visits == 2


async def test_a_second_try_that_works_is_not_noticed(case: Case) -> None:
    async with staged(case, status=500, refusals=1) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER


async def test_who_asks_for_a_long_wait_is_not_waited_for(case: Case) -> None:
    began = time.perf_counter()
    error, visits = await failure(case, status=429, retry_after="20")
    assert isinstance(error, BusyError)
    assert error.after == 20
    assert visits == 1
    assert time.perf_counter() - began < 1


async def test_nobody_there(case: Case) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    stt = case.make(f"http://127.0.0.1:{port}")
    recognizer = stt.open(PHONE, "en")
    try:
        recognizer.begin()
        recognizer.push(speak(ORDER, PHONE))
        began = time.perf_counter()
        with pytest.raises(ProviderError, match="cannot be reached"):
            await recognizer.finish()
        assert time.perf_counter() - began < 1
        recognizer.push(speak(ORDER, PHONE))  # what comes after is not kept
    finally:
        await recognizer.close()


async def test_a_server_that_is_no_websocket(case: Case) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        stt = case.make(f"http://127.0.0.1:{port}")
        with pytest.raises(ProviderError):
            await stt.probe()


async def test_an_open_door_with_nobody_behind_it(case: Case) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silence, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        stt = case.make(f"http://127.0.0.1:{port}", limits=limits(connect=0.05))
        with pytest.raises(ProviderError, match="in time"):
            await stt.probe()


async def test_a_key_goes_to_no_other_host(case: Case) -> None:
    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(elsewhere, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ProviderError, match="302"):
            await case.make(f"http://127.0.0.1:{port}").probe()


@pytest.mark.parametrize("name", ["flux", "openai", "scribe"])
async def test_a_session_that_never_gets_ready(name: str) -> None:
    error, visits = await failure(CASES[name], {"limits": limits(connect=0.15)}, unready=True)
    assert "ready in time" in error.reason
    assert visits == 2


async def test_a_vendor_that_says_nothing(case: Case) -> None:
    began = time.perf_counter()
    error, _ = await failure(case, {"limits": limits(answer=0.4)}, deaf=True)
    assert "no words within 0.4 s" in error.reason
    assert error.retryable
    assert time.perf_counter() - began < 0.7


NONSENSE = ["", "no json", "[]", '{"type": 7, "message_type": 7}', b"\x00\xff", "{" * 100_000]


@pytest.mark.parametrize("garbage", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_is_borne_twice(case: Case, garbage: str | bytes) -> None:
    async with staged(case, garbage=garbage, often=2) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER
        assert len(stage.fake.visits) == 1


async def test_nothing_but_nonsense_is_the_end(case: Case) -> None:
    error, visits = await failure(case, garbage="no json", often=3)
    assert "protocol" in error.reason
    assert visits == 2


async def test_messages_of_a_kind_not_known_are_let_pass(case: Case) -> None:
    news = json.dumps({"type": "news", "message_type": "news", "anything": {"at": ["all"]}})
    async with staged(case, garbage=news, often=20) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER


async def test_a_flood_is_cut_off(case: Case) -> None:
    error, visits = await failure(case, garbage='{"type":"news","message_type":"news"}', often=2_000)
    assert "far too many" in error.reason
    assert visits == 2


async def test_a_message_that_is_too_big_is_cut_off(case: Case) -> None:
    big = json.dumps({"type": "news", "message_type": "news", "text": "x" * 300_000})
    _, visits = await failure(case, garbage=big)
    assert visits == 2


@pytest.mark.parametrize(("code", "kind"), [(1008, UnfitError), (4001, DeniedError), (3000, DeniedError)])
async def test_a_close_that_would_be_repeated_is_not_tried_again(
    case: Case, code: int, kind: type[ProviderError]
) -> None:
    error, visits = await failure(case, cut_after_ms=100, close_code=code)
    assert isinstance(error, kind)
    assert str(code) in error.reason
    assert visits == 1


async def test_a_peer_that_takes_no_audio_is_cut_off(case: Case) -> None:
    """It stops reading: the socket's buffers fill, then ours, which has a bound."""
    async with staged(case, options={"limits": LIMITS}, deaf=True) as stage:
        await stage.connected()
        stage.recognizer.begin()
        stage.recognizer.push(PHONE.silence(1_600))
        line = stage.recognizer._link.line
        assert line is not None
        stage.fake.pause()
        for _ in range(400):
            line.send([b"\xff" * 32_768])
            if line.ended.done():
                break
            await asyncio.sleep(0)
        assert "does not take the audio" in line.ended.result().reason


async def test_a_fault_of_ours_ends_no_more_than_the_connection(case: Case) -> None:
    async with staged(case) as stage:
        heard: list[str] = []

        def partial(text: str) -> None:
            if not heard:
                heard.append(text)
                raise ZeroDivisionError
            heard.append(text)

        stage.recognizer._on_partial = partial
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER
        assert len(stage.fake.visits) == 2
