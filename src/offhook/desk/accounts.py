"""Users: log in and out, add, change, remove, each noted in the audit log. Knows no HTTP, judges no roles."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from offhook.desk.audit import Audit
from offhook.desk.passwords import PasswordDesk, check_new, is_outdated
from offhook.desk.sessions import Sessions, Visitor
from offhook.foundation.clock import Clock
from offhook.foundation.errors import LimitError, NotFoundError, RefusedError
from offhook.foundation.people import EVERY_AGENT, Person, Role
from offhook.storage.people import PeopleRows, UserRecord

NAME = r"[\w.@+-]{1,64}"
_NAME = re.compile(NAME)
_WRONG = "the name or the password is wrong"

Allow = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Changes:
    """What of a user changes; None stays."""

    shown: str | None = None
    role: Role | None = None
    agents: Sequence[str] | None = None
    disabled: bool | None = None


class Accounts:
    """`allow` counts logins by a key, an address or a name, and says whether one more may be tried."""

    def __init__(
        self,
        rows: PeopleRows,
        sessions: Sessions,
        audit: Audit,
        clock: Clock,
        allow: Allow = lambda key: True,
    ) -> None:
        self._rows = rows
        self._sessions = sessions
        self._audit = audit
        self._clock = clock
        self._passwords = PasswordDesk()
        self.allow = allow

    # Logging in.

    async def login(self, name: str, password: str, address: str) -> tuple[str, Visitor]:
        """The secret of a new session's cookie, and whose it is. Raises RefusedError for a wrong name or
        password (the same, after the same work), LimitError after too many tries."""
        if not (self.allow(address) and self.allow(f"user {name.casefold()[:64]}")):
            raise LimitError("too many logins from this address or by this name; wait a minute")
        found = await asyncio.to_thread(self._rows.named, name) if _NAME.fullmatch(name) else None
        user, hash = found if found is not None else (None, None)
        right = await self._passwords.matches(hash, password)
        if user is None or hash is None or not right or user.disabled:
            self._failed(user, address, "disabled" if right else "password")
            raise RefusedError(_WRONG)
        if is_outdated(hash):
            was, hash = hash, await self._passwords.hash(password)
            await asyncio.to_thread(self._rows.rehash, user.id, was, hash)
        try:
            secret, visitor = await self._sessions.begin(user, address, hash)
        except NotFoundError:  # removed, disabled or given another password just now
            raise RefusedError(_WRONG) from None
        self._audit.note(user.person, "login", address=address)
        return secret, visitor

    def _failed(self, user: UserRecord | None, address: str, reason: str) -> None:
        if user is None:  # the name is not kept: it may be a password in the wrong field
            self._audit.note_stranger("login_failed", address=address, reason="unknown name")
        else:
            detail = {"user": user.id, "name": user.name}
            self._audit.note_stranger("login_failed", address=address, reason=reason, **detail)

    async def logout(self, visitor: Visitor) -> None:
        """Raises StorageError."""
        await self._sessions.end(visitor.session)
        self._audit.note(visitor.person, "logout")

    async def change_own_password(self, visitor: Visitor, old: str, new: str) -> None:
        """Ends all other sessions of this user. Raises RefusedError, LimitError, NotFoundError."""
        user = await self.user(visitor.person.id)
        if not self.allow(f"user {user.name.casefold()}"):
            raise LimitError("too many tries; wait a minute")
        found = await asyncio.to_thread(self._rows.named, user.name)
        if found is None or not await self._passwords.matches(found[1], old):
            self._audit.note(visitor.person, "password_refused")
            raise RefusedError("the old password is wrong")
        await self._set_password(user, new, visitor.session)
        self._audit.note(visitor.person, "password_changed", user=user.id)

    # Users.

    async def users(self) -> Sequence[UserRecord]:
        return await asyncio.to_thread(self._rows.users)

    async def user(self, user_id: str) -> UserRecord:
        """Raises NotFoundError."""
        return await asyncio.to_thread(self._rows.user, user_id)

    async def add(
        self,
        by: Person,
        name: str,
        password: str,
        role: Role,
        shown: str = "",
        agents: Sequence[str] = (EVERY_AGENT,),
    ) -> UserRecord:
        """The first user must be an admin. Raises RefusedError, ConflictError, LimitError."""
        if not _NAME.fullmatch(name):
            raise RefusedError("a user name has 1 to 64 letters, digits and . @ + - _")
        check_new(password, name)
        hash = await self._passwords.hash(password)
        user_id = "user_" + secrets.token_hex(10)
        now = self._clock.wall()
        user = UserRecord(user_id, name, shown or name, role, tuple(agents), False, now)
        await asyncio.to_thread(self._rows.add, user, hash)
        self._audit.note(by, "user_added", user=user.id, name=name, role=role, agents=list(agents))
        await self._sessions.changed()
        return user

    async def change(self, by: Person, user_id: str, changes: Changes) -> UserRecord:
        """Raises NotFoundError; ConflictError where no admin would be left."""
        given: dict[str, Any] = {
            "shown": changes.shown,
            "role": changes.role,
            "agents": changes.agents,
            "disabled": changes.disabled,
        }
        user = await asyncio.to_thread(lambda: self._rows.change(user_id, **given))
        said = {name: value for name, value in given.items() if value is not None}
        self._audit.note(by, "user_changed", user=user_id, **said)
        await self._sessions.changed()
        return user

    async def set_password(self, by: Person, user_id: str, new: str) -> None:
        """Logs the user out everywhere. Raises NotFoundError, RefusedError, LimitError."""
        await self._set_password(await self.user(user_id), new)
        self._audit.note(by, "password_changed", user=user_id)

    async def log_out(self, by: Person, user_id: str) -> None:
        """End all sessions of a user. Raises NotFoundError."""
        await asyncio.to_thread(self._rows.end_all, user_id)
        self._audit.note(by, "user_logged_out", user=user_id)
        await self._sessions.changed()

    async def remove(self, by: Person, user_id: str, *, also_last: bool = False) -> UserRecord:
        """Raises NotFoundError; ConflictError for the last admin. `also_last`: the last user may go."""
        user = await asyncio.to_thread(lambda: self._rows.remove(user_id, also_last=also_last))
        self._audit.note(by, "user_removed", user=user_id, name=user.name)
        await self._sessions.changed()
        return user

    async def _set_password(self, user: UserRecord, new: str, keep: str = "") -> None:
        check_new(new, user.name)
        hash = await self._passwords.hash(new)
        await asyncio.to_thread(self._rows.set_password, user.id, hash, keep)
        await self._sessions.changed()
