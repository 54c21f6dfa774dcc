"""Calls to the browser channel over a real socket, as a page makes them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from offhook.channels.base import Arrival
from offhook.channels.browser import BrowserSocket
from offhook.channels.resume import ResumeDesk
from offhook.foundation.errors import RefusedError
from offhook.foundation.events import (
    Entry,
)
from offhook.protocols.browser import Start

PCM = bytes(range(64)) * 10


def admit(start: Start) -> Arrival:
    if start.token == "bad":
        raise RefusedError("the token is not valid")
    return Arrival(agent=start.agent, address="127.0.0.1")


def dumps(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def frame(payload: bytes, at_ms: int = 0, codec: int = 1) -> bytes:
    return struct.pack("<BBHI", codec, 0, 0, at_ms) + payload


def entry(event: Any) -> Entry:
    return Entry("call_1", 1, 0, event)


class Door:
    """A server with its desk."""

    def __init__(self, server: Any, desk: ResumeDesk[Any]) -> None:
        self.server = server
        self.desk = desk

    @property
    def call(self) -> Any:
        return self.server.reception.call

    @contextlib.asynccontextmanager
    async def calling(self, **fields: Any) -> AsyncIterator[tuple[ClientConnection, dict[str, Any]]]:
        async with self.server.client() as client:
            await client.send(dumps("start", **fields))
            async with asyncio.timeout(2):
                yield client, json.loads(await client.recv())


@contextlib.asynccontextmanager
async def opened(serve: Any, bounds: Any, **options: Any) -> AsyncIterator[Door]:
    desk: ResumeDesk[Any] = ResumeDesk()
    listen = lambda reception, watch: BrowserSocket(reception, admit, bounds, watch, desk)  # noqa: E731
    async with serve(listen, **options) as server:
        yield Door(server, desk)
        async with asyncio.timeout(2):
            while len(desk):
                await asyncio.sleep(0.01)


async def messages(client: ClientConnection, kind: str) -> dict[str, Any]:
    """The next text message of a kind."""
    while True:
        raw = await client.recv()
        if isinstance(raw, str) and json.loads(raw)["type"] == kind:
            return json.loads(raw)


async def closing(client: ClientConnection) -> tuple[int, list[dict[str, Any]]]:
    """The code that the server closes with, and the messages before it."""
    found = []
    async with asyncio.timeout(2):
        with contextlib.suppress(ConnectionClosed):
            while True:
                raw = await client.recv()
                if isinstance(raw, str):
                    found.append(json.loads(raw))
    return client.close_code or 0, found
