"""Writes a package of evidence as a stream: members, hashes, signature. Keeps no member in memory."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offhook.desk.evidence import container
from offhook.desk.evidence.container import Placed
from offhook.desk.evidence.key import NodeKey
from offhook.foundation.errors import LimitError, StorageError

FORMAT = "offhook-evidence"
MANIFEST = "MANIFEST.json"
SIGNATURE = "MANIFEST.sig"
KEY = "node-key.pem"
SUMS = "SHA256SUMS"
TIMELINE = "timeline.jsonl"


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the package: `chunks` gives exactly `size` bytes, may block, and raises StorageError."""

    name: str
    size: int
    chunks: Callable[[], Iterator[bytes]]

    @classmethod
    def of(cls, name: str, data: bytes) -> Member:
        return cls(name, len(data), lambda: iter((data,)))


@dataclass(frozen=True, slots=True)
class _Hashed:
    member: Member
    digest: str
    crc: int

    @property
    def placed(self) -> Placed:
        return Placed(self.member.name, self.member.size, self.crc)


class Package:
    """One package, to be sent once. `about` stands in the manifest beside the members. Raises LimitError when
    it would be larger than a ZIP can be. Making one reads nothing."""

    def __init__(self, members: Sequence[Member], about: Mapping[str, Any], key: NodeKey) -> None:
        self._members = [*members, Member.of(KEY, key.public.pem)]
        self._about = about
        self._key = key
        self.size = self._size()
        if self.size > container.LARGEST or len(self._members) + 3 > container.MOST_MEMBERS:
            raise LimitError("this call is too long for one package", retryable=False)

    def chunks(self) -> Iterator[bytes]:
        """All bytes of the package, `size` of them. Blocks: in a thread."""
        done: list[_Hashed] = []
        for member in self._members:
            yield from self._write(member, done)
        yield from self._write(Member.of(SUMS, _sums(done)), done)
        manifest = self._manifest(done)
        yield from self._write(Member.of(MANIFEST, manifest), done)
        yield from self._write(Member.of(SIGNATURE, self._key.sign(manifest)), done)
        yield container.directory([one.placed for one in done])

    @staticmethod
    def _write(member: Member, done: list[_Hashed]) -> Iterator[bytes]:
        yield container.local_header(member.name)
        digest, crc, size = hashlib.sha256(), 0, 0
        for chunk in member.chunks():
            digest.update(chunk)
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            yield chunk
        if size != member.size:
            raise StorageError(f"{member.name} changed while it was exported")
        done.append(_Hashed(member, digest.hexdigest(), crc))
        yield container.descriptor(crc, size)

    def _manifest(self, done: Sequence[_Hashed]) -> bytes:
        members = [{"name": one.member.name, "size": one.member.size, "sha256": one.digest} for one in done]
        found = {"format": FORMAT, "version": 1, **self._about, "members": members}
        found["key"] = {"algorithm": "Ed25519", "fingerprint": self._key.public.fingerprint}
        return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()

    def _size(self) -> int:
        """Hashes are as long as any other hash: what will be written is known before it is."""
        blank = [_Hashed(member, "0" * 64, 0) for member in self._members]
        sums = Member.of(SUMS, _sums(blank))
        manifest = Member.of(MANIFEST, self._manifest([*blank, _Hashed(sums, "0" * 64, 0)]))
        whole = [*self._members, sums, manifest, Member.of(SIGNATURE, bytes(64))]
        around = container.directory_size([member.name for member in whole])
        return sum(container.span(member.name, member.size) for member in whole) + around


def _sums(done: Sequence[_Hashed]) -> bytes:
    """As `sha256sum -c` reads it."""
    return "".join(f"{one.digest}  {one.member.name}\n" for one in done).encode()
