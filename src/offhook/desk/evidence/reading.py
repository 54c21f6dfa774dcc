"""Reads a package of evidence that may be anything: its manifest and members, within bounds."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from offhook.desk.evidence import container
from offhook.desk.evidence.package import FORMAT, MANIFEST, SIGNATURE

_TAIL = 2 << 20
LARGEST_MANIFEST = 1 << 20
_PIECE = 65_536
_MOST_RATIO = 100
_LONGEST_NAME = 200


class UnreadableError(Exception):
    """This is no package of evidence; the text says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A member as the manifest has it."""

    name: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`raw` is what is signed; `offset` its place, where it was found by looking for it."""

    raw: bytes
    members: tuple[Listed, ...]
    call_id: str
    fingerprint: str
    entries: int
    head: str

    @property
    def names(self) -> list[str]:
        """Of all members, in order."""
        return [*(member.name for member in self.members), MANIFEST, SIGNATURE]

    def sizes(self) -> list[tuple[str, int]]:
        """Names and sizes of all members, in order."""
        return [*((one.name, one.size) for one in self.members), (MANIFEST, len(self.raw)), (SIGNATURE, 64)]

    @property
    def size(self) -> int:
        """Bytes of the whole package."""
        return sum(container.span(*one) for one in self.sizes()) + container.directory_size(self.names)


def find_manifest(file: BinaryIO) -> Manifest | None:
    """By its first words, near the end of the file, whatever the ZIP around it says; None where there is none
    that makes sense."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _TAIL)
    file.seek(start)
    tail = file.read(_TAIL)
    at = tail.rfind(f'{{"format":"{FORMAT}"'.encode())
    return read_manifest(tail[at : at + LARGEST_MANIFEST]) if at >= 0 else None


def read_manifest(data: bytes) -> Manifest | None:
    """From bytes that begin with it."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        found, length = json.JSONDecoder().raw_decode(text)
        raw = text[:length].encode("utf-8", "surrogateescape")
        members = tuple(_listed(member) for member in found["members"])
        timeline, fingerprint = found["timeline"], str(found["key"]["fingerprint"])
        entries = _count(timeline["entries"])
        made = Manifest(raw, members, _plain(found["call_id"]), fingerprint, entries, str(timeline["head"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    names = made.names
    return made if len(set(names)) == len(names) <= container.MOST_MEMBERS else None


def _count(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= container.LARGEST:
        raise ValueError("no count")
    return value


def _plain(value: Any) -> str:
    """A call's id: it is shown on a terminal."""
    if not isinstance(value, str) or not is_safe(value):
        raise ValueError("no id")
    return value


def _listed(value: Any) -> Listed:
    name, size, digest = value["name"], value["size"], value["sha256"]
    if not isinstance(size, int) or not 0 <= size <= container.LARGEST or not is_safe(name):
        raise ValueError("no member")
    name.encode()
    return Listed(name, size, str(digest))


def is_safe(name: str) -> bool:
    """Whether a name stays below the folder that it is unpacked to, on every system."""
    parts = name.split("/")
    return (
        0 < len(name) <= _LONGEST_NAME
        and name.isprintable()
        and not any(sign in name for sign in '\\:*?"<>|')
        and all(part not in ("", ".", "..") for part in parts)
    )


def slice_of(file: BinaryIO, start: int, size: int) -> Iterator[bytes]:
    """Bytes of a part of a file."""
    file.seek(start)
    while size > 0 and (piece := file.read(min(_PIECE, size))):
        size -= len(piece)
        yield piece


def lines_of(pieces: Iterator[bytes], longest: int) -> Iterator[bytes]:
    """Lines with their ends; one that is longer than `longest` comes in parts."""
    left = b""
    for piece in pieces:
        whole = (left + piece).splitlines(keepends=True) if b"\n" in piece else [left + piece]
        left = whole.pop() if not whole[-1].endswith(b"\n") else b""
        yield from whole
        if len(left) > longest:
            yield left
            left = b""
    if left:
        yield left


class Archive:
    """A ZIP by whatever program, read by its directory; nothing is unpacked to the disk. Raises
    UnreadableError. Members are read up to the size that is expected of them and one byte more."""

    def __init__(self, file: BinaryIO) -> None:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 65_557))
        found = container.directory_bytes(file.read())
        if found is None:
            raise UnreadableError("this is no ZIP, or its end is missing")
        if found[0] > container.MOST_MEMBERS * 512:
            raise UnreadableError("this ZIP has far more members than a package of evidence")
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UnreadableError(f"the ZIP's directory cannot be read ({error})") from None
        self.members = self._zip.infolist()

    @property
    def names(self) -> list[str]:
        """In the order in which they lie in the file."""
        return [member.filename for member in sorted(self.members, key=lambda one: one.header_offset)]

    def pieces(self, name: str, most: int) -> Iterator[bytes]:
        """At most `most` + 1 bytes of a member. Raises ValueError for one that is damaged, or a bomb."""
        info = self._zip.getinfo(name)
        if info.file_size > most or info.file_size > info.compress_size * _MOST_RATIO + _PIECE:
            raise ValueError("it is larger than it may be")
        left = most + 1
        try:
            with self._zip.open(info) as member:
                while left > 0 and (piece := member.read(min(_PIECE, left))):
                    left -= len(piece)
                    yield piece
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, KeyError) as error:
            raise ValueError(str(error) or type(error).__name__) from None
        except Exception as error:  # zlib's, lzma's and bz2's own
            raise ValueError(type(error).__name__) from None
