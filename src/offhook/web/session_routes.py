"""`/api/session`: log in, log out, who am I; and tokens for desks without cookies. Judges no roles.

The cookie is HttpOnly and SameSite=Strict, and Secure where the house or the request is reached by https.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from offhook.desk.accounts import Accounts
from offhook.desk.passwords import LONGEST
from offhook.desk.roles import ROLES, Action, Reach
from offhook.desk.sessions import Sessions, Visitor
from offhook.foundation.errors import LimitError, RefusedError
from offhook.foundation.people import Role
from offhook.web.desk_tokens import LIFE_SECONDS, DeskTokens
from offhook.web.faults import fault, responses
from offhook.web.gate import peer_of
from offhook.web.people import visitor_of
from offhook.web.visitors import COOKIE, Visitors, presented_cookie


class PersonView(BaseModel):
    id: str
    name: str
    role: Role
    agents: list[str]


class SessionView(BaseModel):
    """Who asks; null where nobody is logged in. `may` says on which calls each action is allowed; what is not
    there is refused. `login`: whether there are users who log in. `reason`: why nobody is let in."""

    person: PersonView | None
    may: dict[Action, Reach]
    login: bool
    expires_at: datetime | None = None
    reason: str = ""


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoginWish(_Wish):
    name: str = Field(min_length=1, max_length=64)
    password: SecretStr = Field(min_length=1, max_length=LONGEST)


class OwnPasswordWish(_Wish):
    old: SecretStr = Field(min_length=1, max_length=LONGEST)
    new: SecretStr = Field(min_length=1, max_length=LONGEST)


class DeskTokenWish(_Wish):
    """An empty `call_id` is any call."""

    role: Literal["caller", "operator", "supervisor"] = "operator"
    call_id: str = Field(default="", max_length=64)


class DeskToken(BaseModel):
    """Send it as `token` of the query of `/ws/live`, once."""

    token: str
    role: str
    call_id: str
    expires_in: int


def session_routes(
    visitors: Visitors,
    accounts: Accounts,
    sessions: Sessions,
    tokens: DeskTokens,
    secure: bool,
    secret_of: Callable[[Request], str] = lambda request: presented_cookie(request.headers),
) -> APIRouter:
    """`secure`: the house has an https address."""
    routes = APIRouter(prefix="/api", tags=["people"], responses=responses(400, 401, 403, 413, 422, 429, 503))

    @routes.get("/session", response_model=SessionView)
    async def who_am_i(request: Request) -> SessionView:
        """Who asks, and what they may."""
        found = visitors.of(request.headers, peer_of(request.scope))
        if isinstance(found, Visitor):
            return _view(found, visitors.has_users)
        return SessionView(person=None, may={}, login=visitors.has_users, reason=found.reason)

    @routes.post("/session", response_model=SessionView)
    async def log_in(wish: LoginWish, request: Request) -> Response:
        """Log in with a name and a password; the session is a cookie."""
        try:
            secret, visitor = await accounts.login(
                wish.name, wish.password.get_secret_value(), peer_of(request.scope)
            )
        except LimitError as error:
            return fault(429, error.reason)
        except RefusedError as error:
            return fault(401, error.reason, "login_refused")
        old = sessions.visitor(secret_of(request))
        if old is not None:
            await sessions.end(old.session)
        answer = JSONResponse(_view(visitor, True).model_dump(mode="json"))
        https = secure or request.url.scheme == "https"
        age = int(sessions.life.total_seconds())  # no date: clocks of browsers differ
        answer.set_cookie(COOKIE, secret, age, path="/", secure=https, httponly=True, samesite="strict")
        return answer

    @routes.delete("/session", status_code=204, response_class=Response)
    async def log_out(request: Request) -> Response:
        """Log out; open sockets of this session are closed. Idempotent."""
        found = sessions.visitor(secret_of(request))
        if found is not None:
            await accounts.logout(found)
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    _add_own(routes, accounts, tokens)
    return routes


def _add_own(routes: APIRouter, accounts: Accounts, tokens: DeskTokens) -> None:
    """What takes somebody who is logged in."""

    @routes.put("/session/password", status_code=204, response_class=Response, responses=responses(404))
    async def change_password(wish: OwnPasswordWish, request: Request) -> Response:
        """Change one's own password; all other sessions of this user end."""
        old, new = wish.old.get_secret_value(), wish.new.get_secret_value()
        await accounts.change_own_password(visitor_of(request), old, new)
        return Response(status_code=204)

    @routes.post("/desk-tokens", response_model=DeskToken)
    async def desk_token(wish: DeskTokenWish, request: Request) -> DeskToken:
        """A token for one socket `/ws/live` within a minute, for programs that have no cookie."""
        token = tokens.mint(visitor_of(request), wish.role, wish.call_id)
        return DeskToken(token=token, role=wish.role, call_id=wish.call_id, expires_in=LIFE_SECONDS)


def _view(visitor: Visitor, login: bool) -> SessionView:
    person = visitor.person
    shown = PersonView(id=person.id, name=person.name, role=person.role, agents=list(person.agents))
    allowed = dict(ROLES.get(person.role, {}))
    return SessionView(person=shown, may=allowed, login=login, expires_at=visitor.expires_at)
