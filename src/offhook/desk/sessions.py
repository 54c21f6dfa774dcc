"""Who is logged in: sessions kept as rows, all at hand in memory. Checks no passwords, sets no cookies.

Judging a cookie is immediate. What another process changed (a worker, the command line) is seen when it
tells, or within POLL_S. A session ends by logging out, when its user is disabled, after `idle` without a
request, and `life` after its begin.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from offhook.foundation.clock import Clock
from offhook.foundation.errors import StorageError
from offhook.foundation.people import LOCAL_PERSON, Person
from offhook.storage.people import PeopleRows, SessionRecord, Snapshot, UserRecord

LOCAL = "local"
"""The session of who sits at this machine, while there are no users."""
KEY = "key"
"""The session of who holds the API key."""
POLL_S = 2.0
RELOAD_S = 60.0
_log = structlog.get_logger(__name__)

Revoked = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person as they come in: by which session, and when that ends at the latest."""

    person: Person
    session: str
    expires_at: datetime | None = None


def digest(secret: str) -> str:
    """The id of the session that this cookie opens."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Sessions:
    """`on_revoked` are called with a person's id and a session's id when that session ends, also by its time,
    or its person is no longer the same: its sockets must close. Event loop only, but `load`."""

    def __init__(self, rows: PeopleRows, clock: Clock, idle: timedelta, life: timedelta) -> None:
        self._rows = rows
        self._clock = clock
        self._idle = idle
        self.life = life
        self._known = Snapshot(0, {}, {})
        self._seen: dict[str, datetime] = {}
        self._unsaved: dict[str, datetime] = {}
        self._over: set[str] = set()
        self._lock = asyncio.Lock()
        self._poll: asyncio.Task[None] | None = None
        self.on_revoked: list[Revoked] = []
        self.on_read: list[Callable[[Snapshot, Snapshot], None]] = []
        """Told of what was known before, and what is now."""
        self.tell: Callable[[], Awaitable[None]] = _nobody_else

    # Immediate.

    @property
    def known(self) -> Snapshot:
        """All users and sessions, as they were read last."""
        return self._known

    @property
    def has_users(self) -> bool:
        return bool(self._known.users)

    def visitor(self, secret: str) -> Visitor | None:
        """Who this cookie is; it counts as use of the session."""
        found = self.find(digest(secret))
        if found is not None:
            self.touch(found.session)
        return found

    def find(self, session: str) -> Visitor | None:
        """Who this session is, by its id; None when it has ended."""
        if session == KEY:
            return Visitor(LOCAL_PERSON, KEY)
        if session == LOCAL:
            return None if self.has_users else Visitor(LOCAL_PERSON, LOCAL)
        record = self._known.sessions.get(session)
        if record is None or self._is_over(record):
            return None
        user = self._known.users.get(record.user_id)
        if user is None or user.disabled:
            return None
        return Visitor(user.person, session, record.expires_at)

    def is_alive(self, session: str) -> bool:
        """Whether a session still holds. Cheap; counts as no use."""
        return self.find(session) is not None

    def touch(self, session: str) -> None:
        """A person did something."""
        if session in self._known.sessions:
            self._seen[session] = self._unsaved[session] = self._clock.wall()

    def _is_over(self, record: SessionRecord) -> bool:
        now = self._clock.wall()
        seen = max(record.seen_at, self._seen.get(record.id, record.seen_at))
        return now >= record.expires_at or now >= seen + self._idle

    # Changes.

    async def begin(self, user: UserRecord, address: str, password: str = "") -> tuple[str, Visitor]:
        """A new session and the secret of its cookie; `password` is the hash that was checked. Raises
        NotFoundError where that is not the user's any more, StorageError."""
        secret, now = secrets.token_urlsafe(32), self._clock.wall()
        record = SessionRecord(digest(secret), user.id, now, now, now + self.life, address[:64])
        await asyncio.to_thread(self._rows.begin, record, password)
        await self.changed()
        return secret, Visitor(user.person, record.id, record.expires_at)

    async def end(self, session: str) -> None:
        """Log out. Idempotent. Raises StorageError."""
        await asyncio.to_thread(self._rows.end, session)
        await self.changed()

    async def changed(self) -> None:
        """Users or sessions were written: read them again, here and in other workers. Raises StorageError."""
        await self.refresh()
        await self.tell()

    async def refresh(self) -> None:
        """Read what is new. Raises StorageError."""
        async with self._lock:
            self._replace(await asyncio.to_thread(self._rows.snapshot))

    def load(self) -> None:
        """As `refresh`, for the start. Blocks."""
        self._replace(self._rows.snapshot())

    def _replace(self, found: Snapshot) -> None:
        before, self._known = self._known, found
        for read in self.on_read:
            read(before, found)
        for book in (self._seen, self._unsaved):
            for gone in [session for session in book if session not in found.sessions]:
                del book[gone]
        self._over &= found.sessions.keys()
        if found.users and not before.users:
            self._revoke(LOCAL_PERSON.id, LOCAL)
        for record in before.sessions.values():
            old, new = before.users.get(record.user_id), found.users.get(record.user_id)
            same = old is not None and new is not None and old.person == new.person
            if record.id not in found.sessions or not same:
                self._revoke(record.user_id, record.id)

    def _end_in_time(self) -> None:
        """Sessions whose time has come end for their sockets, too; each is told once."""
        for record in self._known.sessions.values():
            if record.id not in self._over and self._is_over(record):
                self._over.add(record.id)
                self._revoke(record.user_id, record.id)

    def _revoke(self, person: str, session: str) -> None:
        for tell in list(self.on_revoked):
            try:
                tell(person, session)
            except Exception:
                _log.exception("a socket of an ended session could not be closed", person=person)

    # While the server runs.

    def start(self) -> None:
        """Look for changes of other processes from now on."""
        self._poll = asyncio.get_running_loop().create_task(self._watch(), name="people")

    async def close(self) -> None:
        """Stop looking, and keep when sessions were last used."""
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)
            self._poll = None
        try:
            await self.save()
        except StorageError as error:
            _log.warning("when sessions were last used is not kept", reason=error.reason)

    async def save(self) -> None:
        """Keep when sessions were last used. Raises StorageError."""
        unsaved, self._unsaved = self._unsaved, {}
        try:
            await asyncio.to_thread(self._rows.seen, unsaved)
        except StorageError:
            self._unsaved = {**unsaved, **self._unsaved}
            raise

    async def _watch(self) -> None:
        since, well = self._clock.now(), True
        while True:
            await asyncio.sleep(POLL_S)
            self._end_in_time()
            late = self._clock.now() - since >= RELOAD_S
            try:
                if late:
                    await self.save()
                if late or await asyncio.to_thread(self._rows.version) != self._known.version:
                    await self.refresh()
                    since = self._clock.now()
            except StorageError as error:
                if well:
                    _log.warning("users cannot be read; those known go on", reason=error.reason)
                well = False
            except Exception:
                _log.exception("users were not read again")
            else:
                well = True


async def _nobody_else() -> None:
    """A house of one process."""
