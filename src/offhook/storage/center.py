"""Rows of the contact center: what operators can do, and who wants to be called back. Knows no calls.

`keep` is immediate; all else blocks, and raises StorageError where the database cannot be had.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from offhook.foundation.errors import NotFoundError, StorageError
from offhook.storage.tables import call_backs, operator_skills
from offhook.storage.writer import RowWriter

T = TypeVar("T")
MOST_LISTED = 500
_QUEUE, _INTERVAL_S = 1_000, 0.25


class CallBackState(StrEnum):
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"
    """Nobody will call back."""


@dataclass(frozen=True, slots=True)
class CallBack:
    """Somebody who wants to be called back. `person` is who changed it last, by id and shown name."""

    id: str
    at: datetime
    call_id: str
    agent: str
    queue: str
    number: str
    language: str = ""
    state: CallBackState = CallBackState.OPEN
    person: str = ""
    name: str = ""
    changed_at: datetime | None = None
    note: str = ""


def new_call_back_id() -> str:
    return "cb_" + secrets.token_hex(10)


class CenterRows:
    """On a database that is upgraded. Starts a thread; `close` commits what waits."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = RowWriter[CallBack](engine, _append, _QUEUE, _INTERVAL_S)

    def close(self, patience: float = 5.0) -> None:
        self._writer.close(patience)

    # Skills.

    def skills(self) -> Mapping[str, tuple[list[str], list[str]]]:
        """Skills and languages by user."""

        def work(connection: Connection) -> dict[str, tuple[list[str], list[str]]]:
            return {
                row.user_id: (list(row.skills), list(row.languages))
                for row in connection.execute(select(operator_skills))
            }

        return self._run(work)

    def set_skills(self, user_id: str, skills: Sequence[str], languages: Sequence[str]) -> None:
        """Raises NotFoundError for no user."""
        values = {"user_id": user_id, "skills": list(skills), "languages": list(languages)}

        def work(connection: Connection) -> None:
            connection.execute(delete(operator_skills).where(operator_skills.c.user_id == user_id))
            if skills or languages:
                connection.execute(insert(operator_skills).values(values))

        try:
            self._run(work)
        except _Unknown:
            raise NotFoundError("there is no such user") from None

    # Call-backs.

    def keep(self, wish: CallBack) -> bool:
        """Immediate; False when it is lost, for the database has been away for long."""
        return self._writer.put(wish, droppable=True, soon=True)

    def settle(self, timeout: float = 2.0) -> None:
        """Until what was kept so far is committed, or `timeout` seconds."""
        try:
            self._writer.settled().result(timeout)
        except TimeoutError:
            raise StorageError("the database cannot be written now") from None

    def call_backs(
        self, state: CallBackState | None = None, agents: Sequence[str] | None = None
    ) -> Sequence[CallBack]:
        """The oldest first; of those that are done, the latest first. `agents`: of their calls alone."""
        query = select(call_backs)
        if agents is not None:
            query = query.where(call_backs.c.agent.in_(agents))
        if state is not None:
            query = query.where(call_backs.c.state == state)
        newest = state not in (None, CallBackState.OPEN)
        order = call_backs.c.at.desc() if newest else call_backs.c.at
        return self._run(
            lambda connection: [
                _call_back(row)
                for row in connection.execute(query.order_by(order, call_backs.c.id).limit(MOST_LISTED))
            ]
        )

    def call_back(self, wish_id: str) -> CallBack:
        """Raises NotFoundError."""
        return self._run(lambda connection: _find(connection, wish_id))

    def change(
        self, wish_id: str, state: CallBackState, person: str, name: str, at: datetime, note: str = ""
    ) -> CallBack:
        """Raises NotFoundError."""

        def work(connection: Connection) -> CallBack:
            _find(connection, wish_id)
            values = {"state": state, "person": person, "name": name, "changed_at": at, "note": note}
            connection.execute(update(call_backs).where(call_backs.c.id == wish_id).values(values))
            return _find(connection, wish_id)

        return self._run(work)

    def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except IntegrityError:
            raise _Unknown from None
        except SQLAlchemyError as error:
            raise StorageError(f"the database cannot be used now ({type(error).__name__})") from None


class _Unknown(Exception):
    """A row names what is not there."""


def _append(connection: Connection, wishes: Sequence[CallBack]) -> None:
    connection.execute(insert(call_backs), [asdict(wish) for wish in wishes])


def _find(connection: Connection, wish_id: str) -> CallBack:
    row = connection.execute(select(call_backs).where(call_backs.c.id == wish_id)).first()
    if row is None:
        raise NotFoundError("there is no such call-back")
    return _call_back(row)


def _call_back(row: Row[Any]) -> CallBack:
    values = dict(row._mapping)
    return CallBack(**{**values, "state": CallBackState(values["state"])})
