"""LiveKit's own recording of a room call, beside ours: ordered, stopped with the call, its result noted.

What it does, or does not do, never touches the call. Joins no room; knows no call but by its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from livekit import api

from offhook.channels.livekit_server import RoomServer
from offhook.foundation.desk_events import RoomTape
from offhook.foundation.errors import OffhookError
from offhook.foundation.events import CallEvent, Notice

LOOK_S = 10.0
"""How often it is looked whether it still records."""
RESULT_S = 60.0
"""So long a recording that was stopped may take to lie where it belongs."""
Note = Callable[[str, CallEvent], Awaitable[None]]
_OVER = frozenset(
    {
        api.EgressStatus.EGRESS_COMPLETE,
        api.EgressStatus.EGRESS_FAILED,
        api.EgressStatus.EGRESS_ABORTED,
        api.EgressStatus.EGRESS_LIMIT_REACHED,
    }
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where an egress service uploads to; empty fields are left to its own configuration."""

    bucket: str
    region: str = ""
    endpoint: str = ""
    access_key: str = ""
    secret: str = ""
    path_style: bool = False

    def __repr__(self) -> str:
        return f"Bucket({self.bucket!r})"


@dataclass(frozen=True, slots=True)
class EgressRules:
    """`path` as LiveKit takes it, with `{call_id}` of ours; its ending says which kind of file."""

    path: str
    bucket: Bucket | None = None


def order(room: str, call_id: str, rules: EgressRules) -> api.RoomCompositeEgressRequest:
    """The sound of everybody in the room in one file."""
    path = rules.path.replace("{call_id}", call_id)
    kind = {"mp3": api.EncodedFileType.MP3, "mp4": api.EncodedFileType.MP4}.get(
        path.rpartition(".")[2].lower(), api.EncodedFileType.OGG
    )
    file = api.EncodedFileOutput(file_type=kind, filepath=path)
    to = rules.bucket
    if to is not None:
        file.s3.CopyFrom(
            api.S3Upload(
                bucket=to.bucket,
                region=to.region,
                endpoint=to.endpoint,
                access_key=to.access_key,
                secret=to.secret,
                force_path_style=to.path_style,
            )
        )
    return api.RoomCompositeEgressRequest(room_name=room, audio_only=True, file_outputs=[file])


class Egress:
    """`note(call_id, event)` puts something on a call's timeline, live or not. `pace` scales all waiting."""

    def __init__(self, server: RoomServer, rules: EgressRules, note: Note, pace: float = 1.0) -> None:
        self._server = server
        self._rules = rules
        self._note = note
        self._pace = pace

    async def record(self, room: str, call_id: str, over: asyncio.Event) -> None:
        """From now until the call is `over`; returns when it is known what came of it."""
        try:
            id = (await self._server.start_egress(order(room, call_id, self._rules))).egress_id
        except OffhookError as error:
            _log.warning("LiveKit's egress does not record a call", call_id=call_id, reason=error.reason)
            await self._tell(call_id, Notice(f"LiveKit's egress does not record this call: {error.reason}"))
            return
        await self._tell(call_id, RoomTape(id, "started"))
        found = await self._until_over(id, over)
        if found is None:
            found = await self._stop(id, call_id)
        await self._tell(call_id, _result(id, found))
        if found is None or found.status != api.EgressStatus.EGRESS_COMPLETE:
            _log.warning("LiveKit's egress recorded a call badly", call_id=call_id, egress_id=id)
            if not over.is_set():
                await self._tell(call_id, Notice("LiveKit's egress stopped recording this call."))

    async def _until_over(self, id: str, over: asyncio.Event) -> api.EgressInfo | None:
        """None when the call is over; before that, what became of a recording that ended by itself."""
        while not over.is_set():
            try:
                async with asyncio.timeout(LOOK_S * self._pace):
                    await over.wait()
            except TimeoutError:
                if (found := await self._finished(id)) is not None:
                    return found
        return None

    async def _stop(self, id: str, call_id: str) -> api.EgressInfo | None:
        try:
            await self._server.stop_egress(id)
        except OffhookError as error:  # it may have stopped with the room
            _log.info("an egress was not stopped", call_id=call_id, reason=error.reason)
        for _ in range(int(RESULT_S)):
            if (found := await self._finished(id)) is not None:
                return found
            await asyncio.sleep(self._pace)
        return None

    async def _finished(self, id: str) -> api.EgressInfo | None:
        try:
            found = await self._server.find_egress(id)
        except OffhookError:
            return None
        return found if found is not None and found.status in _OVER else None

    async def _tell(self, call_id: str, event: CallEvent) -> None:
        try:
            await self._note(call_id, event)
        except OffhookError as error:
            _log.warning("an egress could not be noted", call_id=call_id, reason=error.reason)


def _result(id: str, found: api.EgressInfo | None) -> RoomTape:
    if found is None:
        return RoomTape(id, "unknown", error="LiveKit's egress did not tell in time what became of it")
    status = api.EgressStatus.Name(found.status).removeprefix("EGRESS_").lower()
    files = found.file_results
    where = (files[0].location or files[0].filename) if files else ""
    return RoomTape(id, status, where[:1_000], found.error[:300], files[0].size if files else 0)
