"""Rows of users and their sessions, read and written at once. Blocks; callers bring a thread. Hashes nothing.

Every change counts up one number, `version`, first of all in its transaction: so changes come one after the
other, whichever process makes them, and the others see that something changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from offhook.foundation.errors import ConflictError, NotFoundError, StorageError
from offhook.foundation.people import EVERY_AGENT, Person, Role
from offhook.storage.rows import clean_json
from offhook.storage.tables import desk_settings, people_version, sessions, users

T = TypeVar("T")
SESSIONS_PER_USER = 10
_PATIENCE_S = 3.0
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class UserRecord:
    """Somebody who may log in. `name` is what they type (case does not matter), `shown` what others see."""

    id: str
    name: str
    shown: str
    role: Role
    agents: tuple[str, ...]
    disabled: bool
    created_at: datetime
    last_login_at: datetime | None = None

    @property
    def person(self) -> Person:
        return Person(self.id, self.shown, self.role, self.agents)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A login. `id` is a digest of the cookie, and safe to keep and show."""

    id: str
    user_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All users and sessions, as of one version. `ears` is how the coach sounds to the users who said so, by
    their ids: any subset of names and values."""

    version: int
    users: Mapping[str, UserRecord]
    sessions: Mapping[str, SessionRecord]
    ears: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def login_key(name: str) -> str:
    """What must be unique of a name, and is looked up."""
    return name.casefold()


class PeopleRows:
    """All methods raise StorageError when the database cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def version(self) -> int:
        return self._read(_version)

    def snapshot(self) -> Snapshot:
        def work(connection: Connection) -> Snapshot:
            version = _version(connection)
            people = {row.id: _user(row) for row in connection.execute(select(users))}
            found = connection.execute(select(sessions)).all()
            logins = {row.id: SessionRecord(**row._mapping) for row in found}
            ears = {row.user_id: row.ear for row in connection.execute(select(desk_settings))}
            return Snapshot(version, people, logins, ears)

        return self._read(work)

    def users(self) -> Sequence[UserRecord]:
        """By name."""
        query = select(users).order_by(users.c.login)
        return self._read(lambda connection: [_user(row) for row in connection.execute(query)])

    def user(self, user_id: str) -> UserRecord:
        """Raises NotFoundError."""
        return self._read(lambda connection: _find(connection, user_id))

    def named(self, name: str) -> tuple[UserRecord, str] | None:
        """Who logs in by this name, and the hash of their password."""
        query = select(users).where(users.c.login == login_key(name))

        def work(connection: Connection) -> tuple[UserRecord, str] | None:
            row = connection.execute(query).first()
            return None if row is None else (_user(row), row.password)

        return self._read(work)

    def add(self, user: UserRecord, password: str) -> None:
        """`password` is a hash. Raises ConflictError when the name is taken, or the first is no admin."""
        values = {field.name: getattr(user, field.name) for field in fields(UserRecord)}
        values |= {"agents": list(user.agents), "login": login_key(user.name), "password": password}

        def work(connection: Connection) -> None:
            if user.role is not Role.ADMIN and not _admins(connection):
                raise ConflictError("the first user must be an admin")
            try:
                connection.execute(insert(users).values(values))
            except IntegrityError:
                raise ConflictError("there is a user of that name") from None

        self._write(work)

    def change(
        self,
        user_id: str,
        *,
        shown: str | None = None,
        role: Role | None = None,
        agents: Sequence[str] | None = None,
        disabled: bool | None = None,
    ) -> UserRecord:
        """What is None stays; who is shown as nothing is shown by name. Disabling ends the user's sessions.
        Raises NotFoundError, ConflictError."""
        given: dict[str, Any] = {"shown": shown, "role": role, "disabled": disabled}
        values = {name: value for name, value in given.items() if value is not None}
        if agents is not None:
            values["agents"] = list(agents)

        def work(connection: Connection) -> UserRecord:
            found = _find(connection, user_id)
            if shown == "":
                values["shown"] = found.name
            if values:
                connection.execute(update(users).where(users.c.id == user_id).values(values))
            if disabled:
                connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
            if not _admins(connection):
                raise ConflictError("the last admin stays an admin who may log in")
            return _find(connection, user_id)

        return self._write(work)

    def rehash(self, user_id: str, was: str, password: str) -> None:
        """The same password by another hash; where `was` is no longer the hash, nothing changes."""
        same = update(users).where(users.c.id == user_id, users.c.password == was)
        self._write(lambda connection: connection.execute(same.values(password=password)))

    def set_password(self, user_id: str, password: str, keep: str = "") -> None:
        """`password` is a hash. Ends the user's sessions but `keep`. Raises NotFoundError."""

        def work(connection: Connection) -> None:
            _find(connection, user_id)
            connection.execute(update(users).where(users.c.id == user_id).values(password=password))
            mine = (sessions.c.user_id == user_id) & (sessions.c.id != keep)
            connection.execute(delete(sessions).where(mine))

        self._write(work)

    def remove(self, user_id: str, *, also_last: bool = False) -> UserRecord:
        """Raises NotFoundError; ConflictError for the last admin. `also_last`: the last user may go."""

        def work(connection: Connection) -> UserRecord:
            found = _find(connection, user_id)
            connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
            connection.execute(delete(desk_settings).where(desk_settings.c.user_id == user_id))
            connection.execute(delete(users).where(users.c.id == user_id))
            left = connection.execute(select(func.count()).select_from(users)).scalar_one()
            if not _admins(connection) and (left or not also_last):
                raise ConflictError("the last admin cannot be removed")
            return found

        return self._write(work)

    def begin(self, session: SessionRecord, password: str = "") -> None:
        """A login: the session, and when it was. Of a user's sessions the oldest go. `password` is the hash
        that was checked. Raises NotFoundError, also where that is not the user's any more."""
        kept = select(users.c.password).where(users.c.id == session.user_id)

        def work(connection: Connection) -> None:
            user = _find(connection, session.user_id)
            if user.disabled or (password and connection.execute(kept).scalar_one() != password):
                raise NotFoundError("there is no such user")
            who = update(users).where(users.c.id == session.user_id)
            connection.execute(who.values(last_login_at=session.created_at))
            values = {field.name: getattr(session, field.name) for field in fields(SessionRecord)}
            connection.execute(insert(sessions).values(values))
            connection.execute(delete(sessions).where(sessions.c.expires_at < session.created_at))
            mine = select(sessions.c.id).where(sessions.c.user_id == session.user_id)
            newest = mine.order_by(sessions.c.created_at.desc(), sessions.c.id).offset(SESSIONS_PER_USER)
            for old in connection.scalars(newest).all():
                connection.execute(delete(sessions).where(sessions.c.id == old))

        self._write(work)

    def end(self, session_id: str) -> None:
        """Log out. Idempotent."""
        self._write(
            lambda connection: connection.execute(delete(sessions).where(sessions.c.id == session_id))
        )

    def end_all(self, user_id: str) -> None:
        """Log a user out everywhere. Raises NotFoundError."""

        def work(connection: Connection) -> None:
            _find(connection, user_id)
            connection.execute(delete(sessions).where(sessions.c.user_id == user_id))

        self._write(work)

    def set_ears(self, ears: Mapping[str, Mapping[str, Any]]) -> None:
        """How the coach sounds to these users from now on; who is no user any more is passed over."""

        def work(connection: Connection) -> None:
            left = set(connection.scalars(select(users.c.id).where(users.c.id.in_(ears))))
            connection.execute(delete(desk_settings).where(desk_settings.c.user_id.in_(left)))
            rows = [{"user_id": id, "ear": clean_json(dict(ears[id]))} for id in sorted(left)]
            if rows:
                connection.execute(insert(desk_settings), rows)

        self._write(work)

    def seen(self, at: Mapping[str, datetime]) -> None:
        """When these sessions were last used; that is no change of people."""
        if not at:
            return
        row = update(sessions).where(
            sessions.c.id == bindparam("which"), sessions.c.seen_at < bindparam("at")
        )
        values = [{"which": session_id, "at": when} for session_id, when in at.items()]
        statement = row.values(seen_at=bindparam("at"))
        self._write(lambda connection: connection.execute(statement, values), counts=False)

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise StorageError(f"users cannot be read now ({type(error).__name__})") from None

    def _write(self, work: Callable[[Connection], T], *, counts: bool = True) -> T:
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                with self._engine.begin() as connection:
                    if counts:  # takes the lock that makes writers wait for each other
                        connection.execute(
                            update(people_version).values(version=people_version.c.version + 1)
                        )
                    return work(connection)
            except OperationalError as error:
                if time.monotonic() > until:
                    raise StorageError(f"users cannot be written now ({type(error).__name__})") from None
                time.sleep(_PAUSE_S)
            except SQLAlchemyError as error:
                raise StorageError(f"users cannot be written now ({type(error).__name__})") from None


def _version(connection: Connection) -> int:
    return int(connection.execute(select(people_version.c.version)).scalar_one())


def _find(connection: Connection, user_id: str) -> UserRecord:
    row = connection.execute(select(users).where(users.c.id == user_id)).first()
    if row is None:
        raise NotFoundError("there is no such user")
    return _user(row)


def _admins(connection: Connection) -> int:
    """How many admins may log in."""
    query = select(func.count()).where(users.c.role == Role.ADMIN, users.c.disabled.is_(False))
    return int(connection.execute(query).scalar_one())


def _user(row: Row[Any]) -> UserRecord:
    return UserRecord(
        row.id,
        row.name,
        row.shown,
        Role(row.role),
        tuple(row.agents) if isinstance(row.agents, list) else (EVERY_AGENT,),
        row.disabled,
        row.created_at,
        row.last_login_at,
    )
