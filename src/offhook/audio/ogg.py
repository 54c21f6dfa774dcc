"""Takes Ogg pages apart into packets as bytes arrive. Knows nothing of codecs; checksums are not verified."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from offhook.foundation.errors import WireError

_HEAD = struct.Struct("<4sBBqIIIB")
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_LONGEST_PACKET = 1 << 20


@dataclass(frozen=True, slots=True)
class OggPacket:
    """One packet. `granule` is the page's position if the packet is the last that ends on its page,
    else -1; `first` and `last` say that its page begins or ends the logical stream."""

    data: bytes
    granule: int
    first: bool
    last: bool


class OggReader:
    """Feeds on chunks cut anywhere. Raises WireError where no page begins."""

    def __init__(self) -> None:
        self._buffer = b""
        self._partial = b""

    def feed(self, data: bytes) -> list[OggPacket]:
        """The packets that this chunk completes."""
        self._buffer += data
        packets: list[OggPacket] = []
        at = 0
        while (size := self._page_size(at)) is not None:
            packets += self._packets(self._buffer[at : at + size])
            at += size
        self._buffer = self._buffer[at:]
        return packets

    def _page_size(self, at: int) -> int | None:
        """Bytes of the page at `at`, None while it is incomplete."""
        if not b"OggS\x00".startswith(self._buffer[at : at + 5]):
            raise WireError("not Ogg: no page where one should begin")
        head = at + _HEAD.size
        if len(self._buffer) < head:
            return None
        segments = self._buffer[head - 1]
        size = _HEAD.size + segments + sum(self._buffer[head : head + segments])
        return size if len(self._buffer) >= max(at + size, head + segments) else None

    def _packets(self, page: bytes) -> list[OggPacket]:
        _, _, flags, granule, _, _, _, segments = _HEAD.unpack_from(page)
        if not flags & _CONTINUED:
            self._partial = b""
        first, last = bool(flags & _FIRST), bool(flags & _LAST)
        packets: list[OggPacket] = []
        at = _HEAD.size + segments
        for length in page[_HEAD.size : at]:
            self._partial += page[at : at + length]
            at += length
            if len(self._partial) > _LONGEST_PACKET:
                raise WireError("an Ogg packet is too long")
            if length < 255:
                packets.append(OggPacket(self._partial, -1, first, False))
                self._partial = b""
        if packets:
            packets[-1] = OggPacket(packets[-1].data, granule, first, last)
        return packets
