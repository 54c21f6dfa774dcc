"""The gate before all routes: lets in who may use a route, by the tables of `web.auth` and `desk.roles`."""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from offhook.desk.roles import Action, may
from offhook.desk.sessions import Visitor
from offhook.foundation.people import Role
from offhook.web.auth import Access, access_of
from offhook.web.faults import fault
from offhook.web.origin import same_host
from offhook.web.visitors import Refusal, Visitors

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_cross_site(method: str, headers: Headers) -> bool:
    """Whether a page of another site makes the browser send this: never allowed to change anything. What
    brings a key and no cookie, a browser did not send by itself."""
    if method in _SAFE:
        return False
    if headers.get("authorization", "").lower().startswith("bearer ") and "cookie" not in headers:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and not same_host(origin, headers.get("host", ""))


class Gate:
    """Lets a request through to the routes, or answers 303 (to the login), 400, 401, 403 or 429 itself.
    Routes find who asks in `request.state.visitor` and `request.state.person`."""

    def __init__(self, app: ASGIApp, visitors: Visitors) -> None:
        self._app = app
        self._visitors = visitors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await _no_such_socket(scope, send)
        elif scope["type"] != "http" or (answer := self._answer(scope)) is None:
            await self._app(scope, receive, send)
        else:
            await answer(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) != 1:
            return fault(400, "a request names one Host")
        wanted = access_of(scope["method"], scope["path"])
        if wanted in (Access.VENDOR, Access.CALLER):
            return None
        if is_cross_site(scope["method"], headers):
            return fault(403, "another site's page may not do this")
        if wanted is Access.PUBLIC:
            return None
        found = self._visitors.of(headers, peer_of(scope))
        if isinstance(found, Refusal):
            return self._refused(found, scope, headers)
        if wanted is None:
            if found.person.role is not Role.ADMIN:
                return fault(403, "your role may not do this")
        elif not isinstance(wanted, Action) or not may(found.person.role, wanted):
            return fault(403, "your role may not do this")
        _remember(scope, found)
        return None

    def _refused(self, refusal: Refusal, scope: Scope, headers: Headers) -> Response:
        if refusal.status == 401 and self._visitors.has_users:
            if scope["method"] == "GET" and "text/html" in headers.get("accept", "") and _is_page(scope):
                return RedirectResponse(f"/login?next={quote(scope['path'], safe='/')}", 303)
            return fault(401, refusal.reason, refusal.code)
        extra = {"WWW-Authenticate": 'Basic realm="offhook"'} if refusal.status == 401 else None
        return fault(refusal.status, refusal.reason, headers=extra)


def peer_of(scope: Scope) -> str:
    """The client's address, or nothing."""
    return scope["client"][0] if scope.get("client") else ""


def _is_page(scope: Scope) -> bool:
    return not scope["path"].startswith(("/api/", "/v1/", "/metrics", "//"))


def _remember(scope: Scope, visitor: Visitor) -> None:
    state = scope.setdefault("state", {})
    state["visitor"], state["person"] = visitor, visitor.person


async def _no_such_socket(scope: Scope, send: Send) -> None:
    """404 to a WebSocket upgrade; media sockets never come this far."""
    answer = fault(404, "there is no such socket")
    await send({"type": "websocket.http.response.start", "status": 404, "headers": answer.raw_headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
