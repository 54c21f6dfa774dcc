"""Gathers what is kept of one ended call into a package of evidence. Writes no file, judges no one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from offhook import __version__
from offhook.desk.entities.collect import collect
from offhook.desk.evidence import documents
from offhook.desk.evidence.chain import chained
from offhook.desk.evidence.key import NodeKey
from offhook.desk.evidence.package import TIMELINE, Member, Package
from offhook.desk.evidence.sound import Recordings, sound_members
from offhook.foundation.errors import ConflictError, NotFoundError
from offhook.foundation.ids import is_call_id
from offhook.foundation.people import Person
from offhook.storage.base import CallRecord, CallState, CallStore, RecordingState

AuditRows = Callable[[str], Awaitable[Sequence[Mapping[str, Any]]]]
"""The rows of the audit log about a call, oldest first."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Where a call's evidence lies. `recordings` is None where nothing is recorded."""

    store: CallStore
    recordings: Recordings | None
    audit: AuditRows
    key: Callable[[], NodeKey]


async def evidence(archive: Archive, call_id: str, by: Person, now: datetime) -> Package:
    """The package of a call, ready to be sent. Raises NotFoundError, ConflictError (the call is live, or its
    recording is being sealed), LimitError, StorageError."""
    call = await archive.store.call(call_id) if is_call_id(call_id) else None
    if call is None:
        raise NotFoundError("There is no call with that id.")
    if call.state is CallState.LIVE:
        raise ConflictError("this call is live: its evidence is exported once it has ended", retryable=True)
    if call.recording is RecordingState.TAPING:
        raise ConflictError("the recording of this call is being sealed: try again soon", retryable=True)
    turns = await archive.store.turns(call_id)
    events = await archive.store.events(call_id)
    audit = await archive.audit(call_id)
    return await asyncio.to_thread(_package, archive, call, turns, events, audit, by, now)


def _package(
    archive: Archive,
    call: CallRecord,
    turns: Sequence[Any],
    events: Sequence[Mapping[str, Any]],
    audit: Sequence[Mapping[str, Any]],
    by: Person,
    now: datetime,
) -> Package:
    key = archive.key()
    people = [event for event in events if event.get("kind") == "leg_joined"]
    operators = any(event.get("leg") == "operator" for event in people)
    sound, audio, notes = sound_members(
        archive.recordings, call.id, "agent-and-operators" if operators else "agent"
    )
    spoken_json, spoken_text = documents.transcripts(call.id, turns, events)
    timeline, count, head = chained(events)
    about = {
        "call_id": call.id,
        "exported_at": now.isoformat(),
        "exported_by": asdict(by),
        "software": f"offhook {__version__}",
        "timeline": {"member": TIMELINE, "entries": count, "head": head},
    }
    members = [
        Member.of("README.txt", _readme(call, key, by, now)),
        Member.of("call.json", documents.call_json(call, audio, notes, people)),
        Member.of("transcript.json", spoken_json),
        Member.of("transcript.txt", spoken_text),
        Member.of(TIMELINE, timeline),
        Member.of("entities.json", documents.entities_json(collect(events))),
        Member.of("cards.json", documents.cards_json(events)),
        Member.of("audit.jsonl", documents.lines(audit)),
        *sound,
    ]
    return Package(members, about, key)


def _readme(call: CallRecord, key: NodeKey, by: Person, now: datetime) -> bytes:
    return documents.README.format(
        call_id=call.id,
        version=__version__,
        exported_at=now.isoformat(timespec="seconds"),
        by=documents.plain(by.name),
        started_at=call.started_at.isoformat(),
        fingerprint=key.public.fingerprint,
    ).encode()
