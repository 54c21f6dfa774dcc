"""Turns the bytes of one vendor's answer, cut anywhere, into a leg's format. Pure: no sockets, no clocks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from offhook.audio.convert import Converter
from offhook.audio.decode import ClipDecoder, ClipKind
from offhook.audio.frame import AudioFormat, Encoding
from offhook.foundation.errors import ProviderError, WireError

_RAW = {ClipKind.PCM16: Encoding.PCM16, ClipKind.ULAW: Encoding.ULAW, ClipKind.ALAW: Encoding.ALAW}
_KINDS = {encoding: kind for kind, encoding in _RAW.items()}
_HEAD = 16
_FILES = (
    (b"RIFF", "a WAV file"),
    (b"OggS", "an Ogg file"),
    (b"fLaC", "a FLAC file"),
    (b"ID3", "an MP3 file"),
)
_SECONDS_AT_LEAST, _SECONDS_PER_CHAR = 20.0, 0.6


@dataclass(frozen=True, slots=True)
class Source:
    """What a vendor was asked to send: its kind and, where that is headerless, its rate in Hz."""

    kind: ClipKind
    rate: int = 0

    @property
    def raw(self) -> bool:
        return self.kind in _RAW


def source_of(format: AudioFormat) -> Source:
    """The headerless source that is a leg's own format."""
    return Source(_KINDS[format.encoding], format.rate)


def check_type(provider: str, content_type: str, source: Source) -> None:
    """Raises ProviderError when an answer's Content-Type says that it is no sound, or at another rate."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind.endswith(("json", "xml")):
        raise ProviderError(provider, f"answered with {kind[:40]} instead of sound")
    rate = re.search(r"rate=(\d{4,6})\b", content_type)
    if source.raw and rate and int(rate[1]) != source.rate:
        raise ProviderError(
            provider, f"sends sound at {rate[1]} Hz, not at the {source.rate} Hz asked for", retryable=False
        )


def most_bytes(text: str, format: AudioFormat) -> int:
    """More sound than any voice needs for the text."""
    return format.size(1000 * (_SECONDS_AT_LEAST + _SECONDS_PER_CHAR * len(text)))


class Sound:
    """One answer. Where it has the leg's own format the bytes are the same; otherwise the delay is the
    resampler's. At most `most` bytes come out. All methods raise ProviderError."""

    def __init__(self, provider: str, source: Source, target: AudioFormat, most: int) -> None:
        self.provider = provider
        self._source = source
        self._target = target
        self._left = most
        self._head: bytes | None = b""
        self._taken = 0
        self._given = 0
        self._decoder = None if source.raw else ClipDecoder(source.kind)
        self._converter: Converter | None = None
        if source.raw:
            self._converter = self._convert_from(AudioFormat(_RAW[source.kind], source.rate))

    def feed(self, data: bytes) -> bytes:
        """The whole samples that this chunk completes."""
        self._taken += len(data)
        if self._head is not None:
            self._head += data
            if len(self._head) < _HEAD:
                return b""
            data, self._head = self._head, None
            self._check_head(data)
        return self._bounded(self._decoded(data))

    def finish(self) -> bytes:
        """What was held back. Call `check` when it has been used."""
        rest = b""
        if self._head:
            head, self._head = self._head, None
            self._check_head(head)
            rest = self._decoded(head)
        if self._taken and self._decoder is not None:
            rest += self._decoded(None)
        if self._converter is not None:
            rest += self._converter.flush()
        return self._bounded(rest)

    def check(self) -> None:
        """Says after the end whether it was one: something came, and no half sample is left over."""
        if not self._given:
            raise ProviderError(self.provider, "sent no sound")
        if self._source.kind is ClipKind.PCM16 and self._taken % 2:
            raise ProviderError(self.provider, "sent sound that ends within a sample")

    def _decoded(self, data: bytes | None) -> bytes:
        """The chunk (None: the end) in the leg's format."""
        if self._decoder is not None:
            try:
                samples = self._decoder.finish() if data is None else self._decoder.feed(data)
            except WireError as error:
                raise ProviderError(self.provider, f"sent damaged sound: {error.reason}") from error
            if not len(samples):
                return b""
            data = samples.astype("<i2", copy=False).tobytes()
            if self._converter is None:
                self._converter = self._convert_from(AudioFormat(Encoding.PCM16, self._decoder.rate))
        assert self._converter is not None
        return self._converter.process(data or b"")

    def _convert_from(self, format: AudioFormat) -> Converter:
        try:
            return Converter(format, self._target)
        except WireError as error:
            raise ProviderError(self.provider, f"sent sound at a strange rate: {error.reason}") from error

    def _check_head(self, head: bytes) -> None:
        """Refuses pages and messages, and files where headerless sound was asked for: they would be noise."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if start[:1] in (b"<", b"{", b"[") and start.isascii() and b"\x00" not in start:
            raise ProviderError(self.provider, "sent text instead of sound")
        if self._source.raw:
            for magic, name in _FILES:
                if head.startswith(magic):
                    raise ProviderError(self.provider, f"sent {name} instead of the raw sound asked for")

    def _bounded(self, audio: bytes) -> bytes:
        if len(audio) > self._left:
            raise ProviderError(self.provider, "sent more sound than its words can take")
        self._left -= len(audio)
        self._given += len(audio)
        return audio
