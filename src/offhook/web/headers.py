"""What wraps every HTTP answer: security headers, bound on bodies, access log. Decides no access."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offhook.web.faults import fault

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SECRET = ("/whip/", "/api/webrtc/")
"""Paths that end with the secret of a session."""
_POLLED = frozenset({"/healthz", "/readyz", "/metrics"})
_DROPPED_BYTES, _DROPPED_S = 64 << 20, 3.0
_log = structlog.stdlib.get_logger("offhook.web.access")


class SecurityHeaders:
    """Adds SECURITY_HEADERS to answers that do not set them; logs one line a request, without its query."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(("/api/", "/hooks/", "/whip")):
                    headers.setdefault("Cache-Control", "no-store")
                log = _log.debug if scope["path"] in _POLLED else _log.info
                log(
                    "request",
                    method=scope["method"],
                    path=printable(scope["path"]),
                    status=message["status"],
                    ms=round((time.monotonic() - began) * 1000, 1),
                )
            await send(message)

        await self._app(scope, receive, dressed)


def printable(path: str) -> str:
    """A path as it may stand in a log line: short, nothing but visible ASCII, no secret of a session."""
    if path.startswith(_SECRET) and path != "/api/webrtc/offer":
        path = path[: path.rindex("/") + 1] + "*"
    return path[:200].encode("ascii", "backslashreplace").decode().replace("\r", "\\r").replace("\n", "\\n")


async def _drop(receive: Receive) -> None:
    """Take some of a body that nobody wants: a peer that is cut off while it writes reads no answer."""
    left = _DROPPED_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(_DROPPED_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


class BodyLimit:
    """Answers 413 to requests whose body is over `size` bytes, announced or sent.

    Wraps an app that knows the API's error form (faults.py).
    """

    def __init__(self, app: ASGIApp, size: int, others: Mapping[str, int] | None = None) -> None:
        """`others` are paths with a bound of their own."""
        self._app = app
        self._usual = size
        self._others = others or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        size = self._others.get(scope["path"], self._usual)
        reason = f"a request body has at most {size} bytes"
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or len(announced) > 18 or int(announced) > size:
            if "expect" not in headers:
                await _drop(receive)
            await fault(413, reason, headers={"Connection": "close"})(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > size:
                raise HTTPException(413, reason, {"Connection": "close"})
            return message

        await self._app(scope, counted, send)
