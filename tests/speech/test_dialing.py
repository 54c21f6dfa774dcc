"""Opening a WebSocket to a vendor: every way that it fails has one clear reason, and leaves nothing open."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from picows import WSFrame, WSListener, WSTransport

from offhook.engines import vendor_socket
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.dialing import dial, tls
from offhook.speech.tts import elevenlabs_wire

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Silent(WSListener):
    def on_ws_connected(self, transport: WSTransport) -> None: ...

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None: ...


@contextlib.asynccontextmanager
async def serving(handle: Handle) -> AsyncIterator[str]:
    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_server(whole, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/talk"


async def reach(url: str, seconds: float = 5.0) -> None:
    await dial(
        "vendor",
        url,
        {"X-Key": "sk-secret"},
        Silent,
        seconds=seconds,
        most_bytes=1_000,
        subject="the model 'm'",
    )


async def agents(url: str) -> None:
    bounds = vendor_socket.VendorBounds(connect_s=0.3)
    await vendor_socket.dial("vendor", url, {}, lambda raw: None, bounds)


async def voices(url: str) -> None:
    await elevenlabs_wire.dial("vendor", url, {}, 0.3, "voice 'v'")


CALLERS = {"plain": lambda url: reach(url, 0.3), "agent": agents, "voice": voices}


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("caller", ["plain", "agent", "voice"])
async def test_a_server_that_never_answers_is_left_alone(caller: str, scheme: str) -> None:
    """It takes the connection and says nothing: after the deadline it sees the end of it."""
    left = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()  # the request, or TLS' hello, and then the end
        left.set()

    async with serving(handle) as url:
        with pytest.raises(ProviderError) as caught:
            await CALLERS[caller](url.replace("ws", scheme, 1))
        assert caught.value.reason == "vendor: did not answer in time"
        assert caught.value.retryable
        async with asyncio.timeout(5):
            await left.wait()


async def test_who_is_called_off_leaves_nothing_open() -> None:
    came, left = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        came.set()
        await reader.read()
        left.set()

    async with serving(handle) as url:
        task = asyncio.create_task(reach(url))
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await left.wait()


@pytest.mark.parametrize(
    ("status", "body", "header", "kind", "said"),
    [
        (401, {"error": {"code": "bad_key"}}, "", DeniedError, "refused the key (bad_key)"),
        (401, {"error": {"message": "sk-secret is wrong"}}, "", DeniedError, "refused the key"),
        (404, {}, "", UnfitError, "does not know the model 'm', or its address is wrong"),
        (
            400,
            {"detail": {"status": "bad_model"}},
            "",
            UnfitError,
            "did not accept the model 'm' (bad_model)",
        ),
        (429, {}, "7", BusyError, "is over its rate limit"),
        (503, [1], "999", BusyError, "answered with HTTP 503"),
        (302, None, "", ProviderError, "answered with HTTP 302"),
    ],
)
async def test_refusals(status: int, body: object, header: str, kind: type[ProviderError], said: str) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        raw = b"<html>sk-secret</html>" if body is None else json.dumps(body).encode()
        head = f"HTTP/1.1 {status} No\r\nContent-Length: {len(raw)}\r\nRetry-After: {header}\r\n"
        writer.write(head.encode() + b"Location: ws://127.0.0.1:9/\r\n\r\n" + raw)

    async with serving(handle) as url:
        with pytest.raises(ProviderError) as caught:
            await reach(url)
    assert type(caught.value) is kind
    assert caught.value.reason == f"vendor: {said}"
    if isinstance(caught.value, BusyError):
        assert caught.value.after == min(60.0, float(header))


@pytest.mark.parametrize(
    ("url", "said", "retryable"),
    [
        ("ws://127.0.0.1:9/", "vendor: cannot be reached", True),
        ("ws://nowhere.invalid/", "vendor: cannot be reached", True),
        ("http://127.0.0.1:9/", "vendor: has an address that is no WebSocket's", False),
        ("ws://127.0.0.1:99999999/", "vendor: has an address that is no WebSocket's", False),
        ("words", "vendor: has an address that is no WebSocket's", False),
    ],
)
async def test_addresses_that_lead_nowhere(url: str, said: str, retryable: bool) -> None:
    with pytest.raises(ProviderError) as caught:
        await reach(url)
    assert (caught.value.reason, caught.value.retryable) == (said, retryable)


async def test_a_server_that_speaks_no_websocket() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n\r\n")

    async with serving(handle) as url:
        with pytest.raises(ProviderError) as caught:
            await reach(url)
    assert caught.value.reason == "vendor: did not answer as a WebSocket server"


def test_certificates_are_read_once() -> None:
    assert tls() is tls()
