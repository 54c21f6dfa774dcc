"""Where evidence is asked for: a call's package, its entities, the node's key. Serves no HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from offhook.desk.audit import Audit
from offhook.desk.entities.collect import collect
from offhook.desk.evidence.export import Archive, evidence
from offhook.desk.evidence.key import NodeKey, PublicKey, node_key
from offhook.desk.evidence.package import Package
from offhook.desk.evidence.sound import Recordings
from offhook.foundation.clock import Clock
from offhook.foundation.desk_events import EntityPinned
from offhook.foundation.errors import ConflictError, NotFoundError, WireError
from offhook.foundation.events import CallEvent
from offhook.foundation.ids import token
from offhook.foundation.people import Person
from offhook.storage.audit import AuditView
from offhook.storage.base import CallStore

MOST_AUDIT_ROWS = 10_000
_FLUSH_S = 2.0
_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
_LONGEST_VALUE = 500
Emit = Callable[[str, CallEvent], bool]
"""Puts an event on a live call's timeline; False where the call is not live here."""


class EvidenceDesk:
    """`data` is the directory of the node's key, which is made when it is first needed."""

    def __init__(
        self,
        store: CallStore,
        recordings: Recordings | None,
        audit: Audit | None,
        data: Path,
        clock: Clock,
        emit: Emit = lambda call_id, event: False,
    ) -> None:
        self._store = store
        self._audit = audit
        self._data = data
        self._clock = clock
        self._emit = emit
        self._archive = Archive(store, recordings, self._audit_rows, self._node_key)

    async def public_key(self) -> PublicKey:
        """Raises SettingsError when the key cannot be read or made."""
        return (await asyncio.to_thread(self._node_key)).public

    async def package(self, call_id: str, by: Person) -> Package:
        """See `evidence`. What was noted until now is in it."""
        return await evidence(self._archive, call_id, by, self._clock.wall())

    async def pin(
        self, call_id: str, by: Person, id: str = "", pinned: bool = True, added: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Pin an entity or let it go, or add one that nothing recognized: `added` has type, value and at_ms.
        Gives all entities of the call. Raises NotFoundError, WireError, ConflictError, StorageError."""
        call = await self._store.call(call_id)
        if call is None:
            raise NotFoundError("There is no call with that id.")
        await self._store.flush()
        known = {one["id"] for one in collect(await self._store.events(call_id))}
        if added is None and id not in known:
            raise NotFoundError("there is no such entity on this call")
        own = checked(added, call.duration_ms) if added is not None else {}
        event = EntityPinned(id if added is None else f"own_{token()[:12]}", by.id, pinned, own)
        if self._emit(call_id, event):
            await self._store.flush()
        else:
            try:
                await self._store.append(call_id, event)
            except ConflictError:
                raise ConflictError("this call is live elsewhere; pin at its desk", retryable=True) from None
        return collect(await self._store.events(call_id))

    async def _audit_rows(self, call_id: str) -> list[dict[str, Any]]:
        if self._audit is None:
            return []
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_S):
                await self._audit.flush()
        rows = await self._audit.page(AuditView(call_id=call_id), MOST_AUDIT_ROWS)
        names = ("seq", "at", "person", "name", "role", "action", "call_id", "detail", "hash")
        return [{name: getattr(row, name) for name in names} for row in reversed(rows)]

    def _node_key(self) -> NodeKey:
        return node_key(self._data)


def checked(added: dict[str, Any], at_ms: int) -> dict[str, Any]:
    """An operator's own entity as it is kept; it was said at `at_ms` where nothing else is given. Raises
    WireError."""
    kind, value = added.get("type"), added.get("value")
    if not isinstance(kind, str) or not _KIND.match(kind):
        raise WireError("an entity has a type of lower-case letters")
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST_VALUE:
        raise WireError(f"an entity has a value of at most {_LONGEST_VALUE} characters")
    said = added.get("at_ms")
    at = said if isinstance(said, int) and not isinstance(said, bool) and said >= 0 else at_ms
    return {"type": kind, "value": value.strip(), "at_ms": at}
