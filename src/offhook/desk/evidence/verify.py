"""Says whether a package of evidence is as it was exported, and what in it is not. Writes nothing."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from offhook.desk.evidence import container
from offhook.desk.evidence.chain import LONGEST_LINE, first_break
from offhook.desk.evidence.container import Placed
from offhook.desk.evidence.key import PublicKey, read_public
from offhook.desk.evidence.package import KEY, MANIFEST, SIGNATURE, TIMELINE
from offhook.desk.evidence.reading import (
    LARGEST_MANIFEST,
    Archive,
    Listed,
    Manifest,
    UnreadableError,
    find_manifest,
    is_safe,
    lines_of,
    read_manifest,
    slice_of,
)


class Fault(StrEnum):
    ALTERED = "altered"
    MISSING = "missing"
    ADDED = "added"
    MOVED = "moved"
    """The members are not in the order in which they were written."""
    CHAIN = "chain"
    SIGNATURE = "signature"
    CONTAINER = "container"
    """The ZIP's own bytes around a member, or around all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`member` may be empty: the package as a whole."""

    fault: Fault
    member: str
    text: str


@dataclass(slots=True)
class Report:
    """What was found. `key` is the key that signed; `trusted`: whether it is the one that was expected, None
    where none was."""

    call_id: str = ""
    members: int = 0
    key: PublicKey | None = None
    trusted: bool | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Nothing was altered since the key in the package signed it."""
        return not self.findings

    def add(self, fault: Fault, member: str, text: str) -> None:
        """An unsafe name is shown by its escapes: it may mean something to a terminal."""
        shown = member if not member or is_safe(member) else ascii(member[:80])
        self.findings.append(Finding(fault, shown, text))


def verify(path: Path, fingerprint: str = "") -> Report:
    """Check a file; `fingerprint` is of the key that is expected, where one is. Raises UnreadableError for
    what is no package at all, OSError for what cannot be read."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        if size > container.LARGEST:
            raise UnreadableError("this file is larger than a package can be")
        manifest = find_manifest(file)
        report = Report()
        if manifest is not None and manifest.size == size:
            _Laid(file, manifest, report).check()
        else:
            _repacked(file, report)
    if report.key is not None and fingerprint:
        report.trusted = report.key.fingerprint == fingerprint.lower()
    return report


def _signed(manifest: Manifest, pem: bytes, signature: bytes, report: Report) -> bool:
    """Whether the manifest is signed with the key in the package."""
    report.call_id = manifest.call_id
    report.members = len(manifest.names)
    try:
        report.key = read_public(pem)
    except ValueError:
        report.add(Fault.SIGNATURE, KEY, "there is no key in it that could have signed")
        return False
    good = report.key.verifies(signature, manifest.raw) and report.key.fingerprint == manifest.fingerprint
    if not good:
        report.add(Fault.SIGNATURE, "", "the manifest is not what was signed with the key in the package")
    return good


class _Laid:
    """A package whose members lie where the manifest says: every byte of it is checked."""

    def __init__(self, file: BinaryIO, manifest: Manifest, report: Report) -> None:
        self._file = file
        self._manifest = manifest
        self._report = report
        self._offset = 0
        self._placed: list[Placed] = []
        self._places: dict[str, int] = {}

    def check(self) -> None:
        digests = {one.name: one.digest for one in self._manifest.members}
        for name, size in self._manifest.sizes():
            self._member(name, size, digests.get(name))
        if self._content(MANIFEST, len(self._manifest.raw)) != self._manifest.raw:
            self._report.add(Fault.ALTERED, MANIFEST, "another one lies in its place")
        self._directory()
        sizes = dict(self._manifest.sizes())
        pem = self._content(KEY, min(sizes.get(KEY, 0), 4_096))
        _signed(self._manifest, pem, self._content(SIGNATURE, 64), self._report)
        _check_chain(self._manifest, self._pieces(TIMELINE, sizes.get(TIMELINE, 0)), self._report)

    def _content(self, name: str, size: int) -> bytes:
        return b"".join(self._pieces(name, size))

    def _pieces(self, name: str, size: int) -> Iterator[bytes]:
        return slice_of(self._file, self._places[name], size) if name in self._places else iter(())

    def _member(self, name: str, size: int, digest: str | None) -> None:
        header = container.local_header(name)
        found = b"".join(slice_of(self._file, self._offset, len(header)))
        if found != header:
            self._report.add(Fault.CONTAINER, name, "its header in the ZIP was altered")
        self._places[name] = self._offset + len(header)
        actual, crc = _hashed(slice_of(self._file, self._places[name], size))
        after = self._places[name] + size
        trailer = b"".join(slice_of(self._file, after, container.DESCRIPTOR_SIZE))
        self._offset = after + container.DESCRIPTOR_SIZE
        altered = digest is not None and actual != digest
        if altered:
            self._report.add(Fault.ALTERED, name, "its content was altered")
            crc = int.from_bytes(trailer[4:8], "little")
        elif trailer != container.descriptor(crc, size):
            self._trailer(name, trailer, crc, size, digest)
            crc = int.from_bytes(trailer[4:8], "little") if digest is None else crc
        self._placed.append(Placed(name, size, crc))

    def _trailer(self, name: str, trailer: bytes, crc: int, size: int, digest: str | None) -> None:
        only_crc = trailer == container.descriptor(int.from_bytes(trailer[4:8], "little"), size)
        if digest is None and only_crc:  # no hash tells which of the two it was: the directory does
            self._report.add(Fault.ALTERED, name, "its content does not fit its checksum")
        else:
            self._report.add(Fault.CONTAINER, name, "its checksum in the ZIP was altered")

    def _directory(self) -> None:
        offset = 0
        at = self._offset
        for member in self._placed:
            entry = container.central_entry(member, offset)
            if b"".join(slice_of(self._file, at, len(entry))) != entry:
                self._report.add(Fault.CONTAINER, member.name, "its entry in the ZIP's directory was altered")
            at += len(entry)
            offset += container.span(member.name, member.size)
        last = container.end(len(self._placed), at - self._offset, self._offset)
        if b"".join(slice_of(self._file, at, len(last))) != last:
            self._report.add(Fault.CONTAINER, "", "the end of the ZIP was altered")


def _hashed(pieces: Iterator[bytes]) -> tuple[str, int]:
    digest, crc = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        crc = zlib.crc32(piece, crc)
    return digest.hexdigest(), crc


def _check_chain(manifest: Manifest, pieces: Iterator[bytes], report: Report) -> None:
    broken = first_break(lines_of(pieces, LONGEST_LINE), manifest.entries, manifest.head)
    if broken:
        report.add(Fault.CHAIN, TIMELINE, broken)


def _repacked(file: BinaryIO, report: Report) -> None:
    """A ZIP whose members do not lie as they were written: cut, grown, packed anew, or of somebody else."""
    archive = Archive(file)
    names = archive.names
    for name in sorted({name for name in names if names.count(name) > 1}):
        report.add(Fault.ADDED, name, "it is in the ZIP more than once")
    raw = _read(archive, MANIFEST, LARGEST_MANIFEST, report, names)
    manifest = read_manifest(raw) if raw else None
    if manifest is None:
        _without_manifest(archive, names, report)
        return
    if raw and raw != manifest.raw:
        report.add(Fault.ALTERED, MANIFEST, "something follows its content")
    pem = _read(archive, KEY, 4_096, report, names)
    signature = _read(archive, SIGNATURE, 64, report, names)
    _signed(manifest, pem or b"", signature or b"", report)
    for member in manifest.members:
        if member.name in names:
            _compare(archive, member, report)
        else:
            report.add(Fault.MISSING, member.name, "it is missing")
    for name in dict.fromkeys(names):
        if name not in manifest.names:
            how = "" if is_safe(name) else ", with an unsafe name"
            report.add(Fault.ADDED, name, f"it was added{how}")
    _check_order(names, manifest, report)
    if TIMELINE in names:
        size = next((one.size for one in manifest.members if one.name == TIMELINE), 0)
        try:
            _check_chain(manifest, archive.pieces(TIMELINE, size), report)
        except ValueError:
            pass  # that it cannot be read was found before
    report.add(Fault.CONTAINER, "", "the ZIP around the members is not the one that was exported")


def _read(archive: Archive, name: str, most: int, report: Report, names: list[str]) -> bytes | None:
    if name not in names:
        if name != KEY:
            report.add(Fault.MISSING, name, "it is missing")
        return None
    try:
        return b"".join(archive.pieces(name, most))[:most]
    except ValueError as error:
        if name != KEY:
            report.add(Fault.ALTERED, name, f"it cannot be read: {error}")
        return None


def _compare(archive: Archive, member: Listed, report: Report) -> None:
    try:
        same = _hashed(archive.pieces(member.name, member.size))[0] == member.digest
    except ValueError as error:
        report.add(Fault.ALTERED, member.name, f"it cannot be read as it was: {error}")
        return
    if not same:
        report.add(Fault.ALTERED, member.name, "its content was altered")


def _check_order(names: list[str], manifest: Manifest, report: Report) -> None:
    expected = [name for name in manifest.names if name in names]
    present = [name for name in dict.fromkeys(names) if name in expected]
    moved = next((name for name, other in zip(present, expected, strict=True) if name != other), "")
    if moved:
        report.add(Fault.MOVED, moved, "the members are not in their order")


def _without_manifest(archive: Archive, names: list[str], report: Report) -> None:
    """What can be said where the manifest makes no sense: which members do not fit their checksums."""
    if MANIFEST not in names and SIGNATURE not in names:
        raise UnreadableError("this ZIP is no package of evidence: it has no manifest")
    if not any(finding.member == MANIFEST for finding in report.findings):
        report.add(Fault.ALTERED, MANIFEST, "its content was altered")
    for member in archive.members[: container.MOST_MEMBERS]:
        if member.filename != MANIFEST:
            try:
                for _ in archive.pieces(member.filename, member.file_size):
                    pass
            except ValueError as error:
                report.add(Fault.ALTERED, member.filename, f"it cannot be read: {error}")


def expected_key(text: str) -> str:
    """The fingerprint that `--key` means: a file with a public key, or the 64 hex digits themselves, with or
    without spaces and colons. Raises ValueError."""
    digits = "".join(text.split()).replace(":", "").removeprefix("SHA256").lower()
    if len(digits) == 64 and all(digit in "0123456789abcdef" for digit in digits):
        return digits
    with open(text, "rb") as file:
        return read_public(file.read(4_096)).fingerprint
