"""Calls to the phone channel over a real socket, as Twilio makes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from offhook.channels.base import Arrival
from offhook.foundation.errors import RefusedError
from offhook.protocols.twilio import Started
from offhook.protocols.twilio_peer import TwilioPeer

ULAW = bytes(range(160))


def admit(started: Started) -> Arrival:
    if started.parameters.get("token") == "bad":
        raise RefusedError("the token is not valid")
    return Arrival(agent=started.parameters.get("agent", ""), caller="+15550100", vendor_id=started.call_sid)


def peer(**options: Any) -> TwilioPeer:
    return TwilioPeer("CA1", "MZ1", "AC1", **options)


@contextlib.asynccontextmanager
async def calling(server: Any, **options: Any) -> AsyncIterator[tuple[ClientConnection, TwilioPeer]]:
    """A client whose call is up."""
    twilio = peer(**options)
    async with server.client() as client:
        await client.send(twilio.connected().decode())
        await client.send(twilio.start().decode())
        async with asyncio.timeout(2):
            while not server.reception.calls:
                await asyncio.sleep(0.002)
        yield client, twilio


async def say(client: ClientConnection, *messages: bytes) -> None:
    for message in messages:
        await client.send(message.decode())


async def closing(client: ClientConnection) -> tuple[int, str]:
    """The code and reason that the server closes with."""
    async with asyncio.timeout(2):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await client.recv()
    return client.close_code or 0, client.close_reason or ""


def masked(first: int, payload: bytes) -> bytes:
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload
