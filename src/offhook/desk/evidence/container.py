"""The bytes of a ZIP around its members, always the same for the same members. Pure: no files, no hashes.

All members are stored, none compressed: every byte of the file is then either a member's, which its hash
covers, or given by names, sizes and checksums, and an altered one is found. APPNOTE.TXT 6.3.10, 4.3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

LARGEST = 0xFFFF_FFFF
"""Bytes of a ZIP without the 64-bit extensions."""
MOST_MEMBERS = 200
_VERSION = 20
_FLAGS = 0x0808
"""Names are UTF-8; checksum and sizes follow the member, as its checksum is not known before it was sent."""
_DATE = 0x0021
"""1980-01-01, the first that there is: when things were is in the members."""
_LOCAL = struct.Struct("<4s5H3I2H")
_DESCRIPTOR = struct.Struct("<4s3I")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
DESCRIPTOR_SIZE = _DESCRIPTOR.size
END_SIZE = _END.size
END_MARK = b"PK\x05\x06"


@dataclass(frozen=True, slots=True)
class Placed:
    """A member that was written: `crc` is its CRC-32."""

    name: str
    size: int
    crc: int


def local_header(name: str) -> bytes:
    """What comes before a member."""
    raw = name.encode()
    return _LOCAL.pack(b"PK\x03\x04", _VERSION, _FLAGS, 0, 0, _DATE, 0, 0, 0, len(raw), 0) + raw


def descriptor(crc: int, size: int) -> bytes:
    """What comes after a member."""
    return _DESCRIPTOR.pack(b"PK\x07\x08", crc, size, size)


def span(name: str, size: int) -> int:
    """Bytes of a member with what is around it."""
    return _LOCAL.size + len(name.encode()) + size + _DESCRIPTOR.size


def central_entry(member: Placed, offset: int) -> bytes:
    """A member's entry in the directory at the end."""
    raw = member.name.encode()
    sizes = (member.crc, member.size, member.size)
    head = (b"PK\x01\x02", _VERSION, _VERSION, _FLAGS, 0, 0, _DATE)
    return _CENTRAL.pack(*head, *sizes, len(raw), 0, 0, 0, 0, 0, offset) + raw


def end(count: int, size: int, offset: int) -> bytes:
    """The last bytes: how many entries the directory has, its size and where it begins."""
    return _END.pack(END_MARK, 0, 0, count, count, size, offset, 0)


def directory(members: Sequence[Placed]) -> bytes:
    """The directory with its end, for members that lie one after the other from the first byte."""
    entries, offset = [], 0
    for member in members:
        entries.append(central_entry(member, offset))
        offset += span(member.name, member.size)
    joined = b"".join(entries)
    return joined + end(len(members), len(joined), offset)


def directory_size(names: Sequence[str]) -> int:
    return sum(_CENTRAL.size + len(name.encode()) for name in names) + _END.size


def directory_bytes(data: bytes) -> tuple[int, int] | None:
    """Size and place of the directory, by the end of a ZIP; None where that is no end."""
    at = data.rfind(END_MARK)
    if at < 0 or len(data) - at < _END.size:
        return None
    fields = _END.unpack_from(data, at)
    return fields[5], fields[6]
