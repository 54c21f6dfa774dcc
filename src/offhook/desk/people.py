"""Users, sessions, accounts and the audit log of one house, put together. No rules of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from offhook.desk.accounts import Accounts
from offhook.desk.audit import Audit
from offhook.desk.kept_ears import KeptEars
from offhook.desk.sessions import Sessions
from offhook.foundation.clock import Clock
from offhook.storage.people import PeopleRows


@dataclass(frozen=True, slots=True)
class People:
    """Close it before the store whose engine it has."""

    sessions: Sessions
    accounts: Accounts
    audit: Audit
    ears: KeptEars

    async def close(self) -> None:
        """Keep what is not kept yet. Idempotent."""
        await self.ears.close()
        await self.sessions.close()
        await self.audit.close()


def open_people(engine: Engine, clock: Clock, idle: timedelta, life: timedelta) -> People:
    """On a database that is upgraded; reads who is logged in. Blocks; raises StorageError. Sessions end after
    `idle` without a request and `life` after their begin."""
    rows = PeopleRows(engine)
    sessions = Sessions(rows, clock, idle, life)
    sessions.load()
    audit = Audit(engine, clock)
    return People(sessions, Accounts(rows, sessions, audit, clock), audit, KeptEars(rows, sessions))
