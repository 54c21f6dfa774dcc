"""`/api/users` and `/api/audit`: users as admins keep them, and what was done by whom. Judges no roles."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from offhook.desk.accounts import NAME, Accounts, Changes
from offhook.desk.audit import Audit
from offhook.desk.passwords import LONGEST
from offhook.desk.roles import Action, may
from offhook.foundation.errors import NotFoundError
from offhook.foundation.people import EVERY_AGENT, Role
from offhook.storage.audit import AuditEntry, AuditView, Verification
from offhook.storage.people import UserRecord
from offhook.web.faults import responses
from offhook.web.people import person_of

UserId = Annotated[str, Path(max_length=64, description="A user's id, not the name.")]
Shown = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
Agents = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=100)]
Word = Annotated[str, Query(max_length=64)]
_LARGEST = 2_147_483_647


class UserView(BaseModel):
    """`agents` names those whose calls are assigned to an operator; `*` is all."""

    id: str
    name: str
    shown: str
    role: Role
    agents: list[str]
    disabled: bool
    created_at: datetime
    last_login_at: datetime | None


class UserList(BaseModel):
    users: list[UserView]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UserWish(_Wish):
    """`shown` is what others see; empty: the name."""

    name: str = Field(pattern=f"^{NAME}$", examples=["sara"])
    password: SecretStr = Field(min_length=1, max_length=LONGEST)
    role: Role
    shown: Shown = ""
    agents: Agents = [EVERY_AGENT]


class UserChange(_Wish):
    """What is left out stays."""

    shown: Shown | None = None
    role: Role | None = None
    agents: Agents | None = None
    disabled: bool | None = None


class PasswordWish(_Wish):
    password: SecretStr = Field(min_length=1, max_length=LONGEST)


class AuditPage(BaseModel):
    """Newest first. `next` is the `before` of the next page, or null on the last."""

    entries: list[AuditEntry]
    next: int | None


def user_routes(accounts: Accounts, agents: Collection[str]) -> APIRouter:
    """`agents`: the names that there are."""
    routes = APIRouter(
        prefix="/api/users", tags=["people"], responses=responses(400, 401, 403, 413, 422, 429, 503)
    )
    gone = responses(404)

    def known(wanted: Collection[str]) -> None:
        if not set(wanted) <= {*agents, EVERY_AGENT}:
            raise NotFoundError("there is no agent of that name")

    @routes.get("", response_model=UserList)
    async def users() -> UserList:
        """All users, by name."""
        return UserList(users=[_view(user) for user in await accounts.users()])

    @routes.post("", status_code=201, response_model=UserView, responses=responses(404, 409))
    async def add(wish: UserWish, request: Request) -> UserView:
        """Add a user. The first must be an admin; from then on everyone logs in."""
        known(wish.agents)
        password, by = wish.password.get_secret_value(), person_of(request)
        return _view(await accounts.add(by, wish.name, password, wish.role, wish.shown, wish.agents))

    @routes.get("/{user_id}", response_model=UserView, responses=gone)
    async def user(user_id: UserId) -> UserView:
        """One user."""
        return _view(await accounts.user(user_id))

    @routes.patch("/{user_id}", response_model=UserView, responses=responses(404, 409))
    async def change(user_id: UserId, wish: UserChange, request: Request) -> UserView:
        """Change a user. Disabling logs them out everywhere; sockets close when role or agents change."""
        known(wish.agents or ())
        changes = Changes(wish.shown, wish.role, wish.agents, wish.disabled)
        return _view(await accounts.change(person_of(request), user_id, changes))

    @routes.put("/{user_id}/password", status_code=204, response_class=Response, responses=gone)
    async def password(user_id: UserId, wish: PasswordWish, request: Request) -> Response:
        """Give a user a new password, and log them out everywhere."""
        await accounts.set_password(person_of(request), user_id, wish.password.get_secret_value())
        return Response(status_code=204)

    @routes.delete("/{user_id}/sessions", status_code=204, response_class=Response, responses=gone)
    async def log_out(user_id: UserId, request: Request) -> Response:
        """Log a user out everywhere."""
        await accounts.log_out(person_of(request), user_id)
        return Response(status_code=204)

    @routes.delete("/{user_id}", status_code=204, response_class=Response, responses=responses(404, 409))
    async def remove(user_id: UserId, request: Request) -> Response:
        """Remove a user for good; what they did stays in the audit log."""
        await accounts.remove(person_of(request), user_id)
        return Response(status_code=204)

    return routes


def audit_routes(audit: Audit) -> APIRouter:
    """Reading and checking the log."""
    routes = APIRouter(
        prefix="/api/audit", tags=["people"], responses=responses(400, 401, 403, 422, 429, 503)
    )

    @routes.get("", response_model=AuditPage)
    async def entries(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
        person: Word = "",
        action: Word = "",
        call_id: Word = "",
    ) -> AuditPage:
        """Who did what, newest first. Who is no admin sees deeds on calls and their own."""
        reader = person_of(request)
        about = None if may(reader.role, Action.SEE_ALL_AUDIT) else reader.id
        view = AuditView(before, person, action, call_id, about)
        found = await audit.page(view, limit + 1)
        page = list(found[:limit])
        return AuditPage(entries=page, next=page[-1].seq if len(found) > limit else None)

    @routes.get("/verification", response_model=Verification)
    async def verification() -> Verification:
        """Walk the whole log: is it as it was written? Note `entries` and `head` elsewhere to be sure that
        it is not cut short either."""
        return await audit.verify()

    return routes


def _view(user: UserRecord) -> UserView:
    return UserView(
        id=user.id,
        name=user.name,
        shown=user.shown,
        role=user.role,
        agents=list(user.agents),
        disabled=user.disabled,
        created_at=user.created_at,
        last_login_at=user.last_login_at,
    )
