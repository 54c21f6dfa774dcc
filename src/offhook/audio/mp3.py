"""Decodes MP3 frames as bytes arrive. A leading ID3 tag is skipped; other containers are not known."""

from __future__ import annotations

import av
from av.audio.codeccontext import AudioCodecContext

from offhook.audio.g711 import Samples
from offhook.audio.wav import from_float
from offhook.foundation.errors import WireError

_MOST_BAD_PACKETS = 8


class Mp3Decoder:
    """Skips a leading ID3 tag, Xing/Info frames, and the encoder's delay that a LAME tag names."""

    def __init__(self) -> None:
        codec = av.CodecContext.create("mp3float", "r")
        assert isinstance(codec, AudioCodecContext)
        self.rate = 0
        self._codec = codec
        self._start: bytes | None = b""
        self._tag_left = 0
        self._bad = 0
        self._decoded = 0
        self._trim = 0

    def feed(self, data: bytes) -> list[Samples]:
        if self._start is not None:
            data = self._skip_tag(data)
        elif self._tag_left:
            data = self._past_tag(data)
        return self._parse(data) if data else []

    def finish(self) -> list[Samples]:
        pieces = self._parse(self._start) if self._start else []
        pieces += self._parse(b"")
        if not self._decoded:
            raise WireError("no MP3 audio in the clip")
        return pieces

    def _skip_tag(self, data: bytes) -> bytes:
        """Holds the first 10 bytes back until it is clear whether they are an ID3 tag's head."""
        assert self._start is not None
        data = self._start + data
        if b"ID3".startswith(data[:3]) and len(data) < 10:
            self._start = data
            return b""
        self._start = None
        self._tag_left = _tag_size(data)
        return self._past_tag(data)

    def _past_tag(self, data: bytes) -> bytes:
        skipped = min(self._tag_left, len(data))
        self._tag_left -= skipped
        return data[skipped:]

    def _parse(self, data: bytes) -> list[Samples]:
        pieces: list[Samples] = []
        for packet in self._codec.parse(data):
            frame = bytes(packet)
            # Between files end to end the parser leaves the second file's tag before its first frame.
            frame = frame[_tag_size(frame) :]
            if (info := _info_frame(frame)) is not None:
                self._trim = info
                continue
            pieces += self._decode(frame)
        return pieces

    def _decode(self, frame: bytes) -> list[Samples]:
        try:
            frames = self._codec.decode(av.Packet(frame)) if frame else []
        except av.FFmpegError as error:
            self._bad += 1
            if self._bad > _MOST_BAD_PACKETS:
                raise WireError("not MP3: too many malformed frames") from error
            return []
        pieces: list[Samples] = []
        for sound in frames:
            if self.rate not in (0, sound.sample_rate):
                raise WireError("the MP3's rate changes within the clip")
            self.rate = sound.sample_rate
            self._bad = 0
            self._decoded += sound.samples
            samples = from_float(sound.to_ndarray().mean(axis=0))
            skipped = min(self._trim, len(samples))
            self._trim -= skipped
            pieces.append(samples[skipped:])
        return pieces


def _tag_size(data: bytes) -> int:
    """Bytes of the ID3v2 tag that begins here; 0 if none does."""
    if not data.startswith(b"ID3") or len(data) < 10:
        return 0
    size = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]
    return 10 + size + (10 if data[5] & 0x10 else 0)


def _info_frame(frame: bytes) -> int | None:
    """Samples to drop after it if this is a Xing/Info frame (which holds no audio), else None."""
    at = max(frame.find(b"Xing", 4, 44), frame.find(b"Info", 4, 44))
    if at < 0 or any(frame[6:at]):
        return None
    flags = frame[at + 7] if len(frame) > at + 7 else 0
    lame = at + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    delay = frame[lame + 21 : lame + 23]
    if frame[lame : lame + 4] not in (b"LAME", b"Lavc", b"Lavf") or len(delay) < 2:
        return 0
    return (delay[0] << 4 | delay[1] >> 4) + 529
