"""The first request, made by ourselves before anyone calls: FastAPI prepares its routes when they are first
looked through, and every call of the process waits for as long. Answers nobody."""

from __future__ import annotations

from starlette.types import ASGIApp, Message

_NOWHERE = "/rehearsal"


async def rehearse(app: ASGIApp) -> None:
    """Have the app look through all of its routes."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        """Nobody waits for it."""

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": _NOWHERE,
        "raw_path": _NOWHERE.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
        "state": {},
    }
    await app(scope, receive, send)
