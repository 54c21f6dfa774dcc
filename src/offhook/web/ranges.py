"""Sends a sound file, or the part of it that a player asks for. Reads in threads; knows no recordings."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO

import structlog
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from offhook.foundation.errors import OffhookError
from offhook.web.faults import fault

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")
_PIECE = 64 * 1024
_log = structlog.stdlib.get_logger("offhook.web.ranges")


class Unsatisfiable(Exception):
    """The range lies outside of the file."""


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for the whole file.

    Several ranges, other units and nonsense mean the whole file, as RFC 9110 allows. Raises
    Unsatisfiable.
    """
    found = _RANGE.match(header.strip().lower()) if header else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        length = min(int(found[2]), size)
        if length == 0:
            raise Unsatisfiable
        return size - length, size
    start = int(found[1])
    stop = min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, stop


def file_chunks(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """Bytes of an open file, which is closed at the end. Blocks."""
    with file:
        file.seek(start)
        while start < stop and (piece := file.read(min(_PIECE, stop - start))):
            start += len(piece)
            yield piece


class _Broken(Exception):
    """The sound cannot be read on, and its length is promised already."""


class SoundResponse(StreamingResponse):
    """`chunks` are read in worker threads; they are closed also when the listener goes away.

    Making one reads the first piece (it blocks): what raises there is still answered as an error.
    What raises later is logged, and cuts the body short; a HEAD gets the headers only.
    """

    def __init__(
        self, chunks: Iterator[bytes], status: int, headers: dict[str, str], media_type: str
    ) -> None:
        self._chunks = chunks
        self._first = next(chunks, b"")
        super().__init__(self._pieces(), status, headers, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "HEAD":
                await Response(status_code=self.status_code, headers=dict(self.headers))(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        finally:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                await run_in_threadpool(close)

    async def stream_response(self, send: Send) -> None:
        """As the base's, but a failure leaves the body unfinished, so that the server cuts the connection."""
        try:
            await super().stream_response(send)
        except _Broken as broken:
            _log.error("recording_cut_short", cause=str(broken))

    async def _pieces(self) -> AsyncIterator[bytes]:
        piece = self._first
        while piece:
            yield piece
            try:
                piece = await run_in_threadpool(next, self._chunks, b"")
            except (OffhookError, OSError) as error:
                raise _Broken(str(error)) from None


def sound_headers(size: int, part: tuple[int, int] | None, name: str) -> dict[str, str]:
    """`name` must be safe in a header; it is built from a checked call id."""
    start, stop = part or (0, size)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(stop - start),
        "Content-Disposition": f'inline; filename="{name}"',
        "Cache-Control": "private, no-cache",
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return headers


def unsatisfiable(size: int) -> Response:
    return fault(416, f"the recording has {size} bytes", headers={"Content-Range": f"bytes */{size}"})
