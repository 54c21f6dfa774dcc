"""What wraps every HTTP answer: security headers, bound on bodies, access log. Decides no access."""

from __future__ import annotations

import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
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
                if scope["path"].startswith(("/api/", "/hooks/")):
                    headers.setdefault("Cache-Control", "no-store")
                _log.info(
                    "request",
                    method=scope["method"],
                    path=printable(scope["path"]),
                    status=message["status"],
                    ms=round((time.monotonic() - began) * 1000, 1),
                )
            await send(message)

        await self._app(scope, receive, dressed)


def printable(path: str) -> str:
    """A path as it may stand in a log line: short, and nothing but visible ASCII."""
    return path[:200].encode("ascii", "backslashreplace").decode().replace("\r", "\\r").replace("\n", "\\n")


class _TooLarge(Exception):
    pass


class BodyLimit:
    """Answers 413 to requests whose body is over `size` bytes, announced or sent."""

    def __init__(self, app: ASGIApp, size: int) -> None:
        self._app = app
        self._size = size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or len(announced) > 18 or int(announced) > self._size:
            await self._refuse(scope, receive, send)
            return
        taken, begun = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._size:
                raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooLarge:
            if not begun:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = fault(413, f"a request body has at most {self._size} bytes", headers={"Connection": "close"})
        await answer(scope, receive, send)
