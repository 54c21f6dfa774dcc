"""Opus packets for live legs: 20 ms mono frames in, packets out, and back. No container, no jitter."""

from __future__ import annotations

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from offhook.audio.g711 import Samples
from offhook.audio.resample import Resampler
from offhook.foundation.errors import WireError

OPUS_RATE = 48_000
_LONGEST_PACKET = 1275 * 6 + 7
_OPTIONS = {"application": "voip", "frame_duration": "20", "compression_level": "3"}


def open_decoder(head: bytes | None = None) -> AudioCodecContext:
    """A libopus decoder, 48 kHz; `head` is an OpusHead, whose pre-skip it then drops by itself."""
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate = OPUS_RATE
    decoder.layout = "mono"
    if head is not None:
        decoder.extradata = head
    decoder.open()
    return decoder


def decode_packet(decoder: AudioCodecContext, packet: bytes) -> Samples:
    """Samples [n, channels] of one packet, at 48 kHz. Raises WireError; the decoder stays usable."""
    if not 0 < len(packet) <= _LONGEST_PACKET:
        raise WireError(f"an Opus packet of {len(packet)} bytes")
    try:
        frames = decoder.decode(av.Packet(packet))
    except av.FFmpegError as error:
        raise WireError("a malformed Opus packet") from error
    if not frames:
        return np.empty((0, 1), np.int16)
    return np.concatenate([frame.to_ndarray().reshape(-1, frame.layout.nb_channels) for frame in frames])


class OpusEncoder:
    """Encodes a mono stream, 20 ms a packet. `rate` is one of 8, 12, 16, 24, 48 kHz."""

    def __init__(self, rate: int = 16_000, bit_rate: int = 24_000) -> None:
        encoder = av.CodecContext.create("libopus", "w")
        assert isinstance(encoder, AudioCodecContext)
        encoder.sample_rate = rate
        encoder.layout = "mono"
        encoder.format = "s16"
        encoder.bit_rate = bit_rate
        encoder.options = dict(_OPTIONS)
        try:
            encoder.open()
        except av.FFmpegError as error:
            raise WireError(f"Opus does not do {rate} Hz at {bit_rate} bit/s") from error
        self._encoder = encoder
        self.rate = rate
        self.frame_size = rate // 50

    def encode(self, samples: Samples) -> bytes:
        """One packet of exactly `frame_size` int16 samples (20 ms)."""
        if len(samples) != self.frame_size:
            raise ValueError(f"an Opus frame is {self.frame_size} samples, not {len(samples)}")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self.rate
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))


class OpusDecoder:
    """One stream's packets to mono int16 at `rate`. Delay: 6.5 ms of the codec and the resampler's."""

    def __init__(self, rate: int = 16_000) -> None:
        self._decoder = open_decoder()
        self._resampler = Resampler(OPUS_RATE, rate)
        self.rate = rate

    def decode(self, packet: bytes) -> Samples:
        """The packet's samples (2.5–120 ms). Raises WireError for a malformed one; the next may be good."""
        return self._resampler.process(decode_packet(self._decoder, packet)[:, 0])
