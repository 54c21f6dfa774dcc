"""Who may use which route: one table, default deny, and the gate that obeys it. Checks no vendor signature.

Until there are users, the console and the API answer to programs on this machine only, or,
once an API key is set, to whoever has the key (and to nobody without it).
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode
from collections.abc import Mapping
from enum import StrEnum

from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from offhook.web.faults import fault
from offhook.web.origin import is_local, same_host
from offhook.web.ports import Bucket


class Access(StrEnum):
    PUBLIC = "public"
    """Anyone; what it does is safe or guarded on its own."""
    VENDOR = "vendor"
    """The phone vendor; the route checks its signature before anything else."""
    CONSOLE = "console"
    """This machine, or the holder of the API key."""


ACCESS: dict[tuple[str, str], Access] = {
    ("GET", "/healthz"): Access.PUBLIC,
    ("GET", "/readyz"): Access.PUBLIC,
    ("GET", "/call"): Access.PUBLIC,
    ("GET", "/static/console/{path:path}"): Access.PUBLIC,
    ("POST", "/hooks/twilio/voice"): Access.VENDOR,
    ("GET", "/hooks/twilio/after"): Access.VENDOR,
    ("POST", "/hooks/twilio/after"): Access.VENDOR,
    ("POST", "/hooks/twilio/status"): Access.VENDOR,
    ("GET", "/"): Access.CONSOLE,
    ("GET", "/calls/{call_id}"): Access.CONSOLE,
    ("GET", "/metrics"): Access.CONSOLE,
    ("GET", "/api/openapi.json"): Access.CONSOLE,
    ("GET", "/api/agents"): Access.PUBLIC,
    ("GET", "/api/providers"): Access.CONSOLE,
    ("POST", "/api/call-tokens"): Access.CONSOLE,
    ("GET", "/api/calls"): Access.CONSOLE,
    ("POST", "/api/calls"): Access.CONSOLE,
    ("GET", "/api/calls/{call_id}"): Access.CONSOLE,
    ("POST", "/api/calls/{call_id}/hang-up"): Access.CONSOLE,
    ("GET", "/api/calls/{call_id}/transcript"): Access.CONSOLE,
    ("GET", "/api/calls/{call_id}/recording"): Access.CONSOLE,
    ("DELETE", "/api/calls/{call_id}/recording"): Access.CONSOLE,
    ("GET", "/api/calls/{call_id}/peaks"): Access.CONSOLE,
    ("GET", "/v1/models"): Access.CONSOLE,
    ("GET", "/v1/models/{model}"): Access.CONSOLE,
    ("POST", "/v1/audio/speech"): Access.CONSOLE,
    ("POST", "/v1/audio/transcriptions"): Access.CONSOLE,
    ("POST", "/v1/realtime/client_secrets"): Access.CONSOLE,
}
"""Every route, by method and template; others are treated as CONSOLE. Media sockets have their own doors."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_RULES: list[tuple[str, re.Pattern[str], Access]] = [
    (method, compile_path(template)[0], access) for (method, template), access in ACCESS.items()
]


def access_of(method: str, path: str) -> Access:
    """What a request needs, by the table."""
    wanted = "GET" if method == "HEAD" else method
    for allowed, pattern, access in _RULES:
        if allowed == wanted and pattern.match(path):
            return access
    return Access.CONSOLE


def presented_key(headers: Mapping[str, str]) -> str | None:
    """The key in `Authorization: Bearer …`, or the password of `Basic` (which a browser asks for)."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return None
    return None


def is_cross_site(method: str, headers: Headers) -> bool:
    """Whether a page of another site makes the browser send this: never allowed to change anything."""
    if method in _SAFE:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and not same_host(origin, headers.get("host", ""))


class Gate:
    """Lets a request through to the routes, or answers 400, 401, 403 or 429 itself.

    `guesses` counts wrong keys by address. `public`: the server is reached from outside, perhaps through
    a proxy on this machine that makes everyone look local, so that only a key opens the console.
    """

    def __init__(self, app: ASGIApp, api_key: str, guesses: Bucket, public: bool = False) -> None:
        self._app = app
        self._public = public
        self._key = api_key.encode()
        self._guesses = guesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await _no_such_socket(scope, send)
        elif scope["type"] != "http" or (refusal := self._refusal(scope)) is None:
            await self._app(scope, receive, send)
        else:
            status, message = refusal
            extra = {"WWW-Authenticate": 'Basic realm="offhook"'} if status == 401 else None
            await fault(status, message, headers=extra)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) != 1:
            return 400, "a request names one Host"
        if access_of(scope["method"], scope["path"]) is not Access.CONSOLE:
            return None
        if is_cross_site(scope["method"], headers):
            return 403, "another site's page may not do this"
        peer = scope["client"][0] if scope.get("client") else ""
        return self.stranger(headers, peer)

    def stranger(self, headers: Mapping[str, str], peer: str) -> tuple[int, str] | None:
        """Why this is neither this machine nor who has the key: a status and a sentence; None: it is."""
        if not self._key:
            if self._public:
                return 403, "with public_url set, the console and API need OFFHOOK_API_KEY"
            if is_local(peer, headers):
                return None
            return 403, "this answers on its own machine only, unless OFFHOOK_API_KEY is set"
        return self._check_key(headers, peer)

    def _check_key(self, headers: Mapping[str, str], peer: str) -> tuple[int, str] | None:
        key = presented_key(headers)
        if key is None:
            return 401, "this needs the API key as a bearer token"
        if hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._key):
            return None  # the right key is never throttled: behind a proxy all share one address
        if not self._guesses.allow(peer):
            return 429, "too many wrong keys from this address; wait a minute"
        return 401, "the API key is wrong"


async def _no_such_socket(scope: Scope, send: Send) -> None:
    """404 to a WebSocket upgrade; media sockets never come this far."""
    answer = fault(404, "there is no such socket")
    await send({"type": "websocket.http.response.start", "status": 404, "headers": answer.raw_headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
