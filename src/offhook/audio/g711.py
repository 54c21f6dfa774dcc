"""G.711 µ-law and A-law by table lookup, one frame or a batch at a time. No state, no resampling.

Encoders are those of the ITU-T G.191 reference; other encoders in the field differ by at most one
code at decision boundaries of negative µ-law input. Decoders agree everywhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
Codes = npt.NDArray[np.uint8]


def _ulaw_levels() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    level = ((((code & 15) << 3) + 132) << (code >> 4 & 7)) - 132
    return np.where(code & 0x80, -level, level).astype(np.int16)


def _alaw_levels() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = code >> 4 & 7
    mantissa = (code & 15) << 4
    level = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    levels: Samples = np.where(code & 0x80, level, -level).astype(np.int16)
    return levels


def _ulaw_codes() -> Codes:
    """Code of every sample, indexed by the sample as uint16 (so int16 indexes from the end work too)."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.minimum((np.where(sample >= 0, sample, ~sample) >> 2) + 33, 8191)
    segment = np.searchsorted(1 << np.arange(6, 14), size, side="right") + 1
    code = (8 - segment) << 4 | 15 - (size >> segment & 15)
    codes: Codes = np.where(sample >= 0, code | 0x80, code).astype(np.uint8)
    return codes


def _alaw_codes() -> Codes:
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.where(sample >= 0, sample, ~sample) >> 4
    exponent = np.searchsorted(1 << np.arange(4, 11), size, side="right")
    code = np.where(exponent == 0, size, exponent << 4 | size >> np.maximum(exponent - 1, 0) & 15)
    codes: Codes = (np.where(sample >= 0, code | 0x80, code) ^ 0x55).astype(np.uint8)
    return codes


_ULAW_LEVELS = _ulaw_levels()
_ALAW_LEVELS = _alaw_levels()
_ULAW_CODES = _ulaw_codes()
_ALAW_CODES = _alaw_codes()
_ULAW_TO_ALAW = _ALAW_CODES.take(_ULAW_LEVELS).tobytes()
_ALAW_TO_ULAW = _ULAW_CODES.take(_ALAW_LEVELS).tobytes()


def decode_ulaw(codes: bytes | Codes) -> Samples:
    """µ-law codes (bytes, or uint8 of any shape) to int16 samples of the same shape."""
    return _ULAW_LEVELS.take(np.frombuffer(codes, np.uint8) if isinstance(codes, bytes) else codes)


def decode_alaw(codes: bytes | Codes) -> Samples:
    """A-law codes (bytes, or uint8 of any shape) to int16 samples of the same shape."""
    return _ALAW_LEVELS.take(np.frombuffer(codes, np.uint8) if isinstance(codes, bytes) else codes)


def encode_ulaw(samples: bytes | Samples) -> Codes:
    """PCM16 (little-endian bytes, or int16 of any shape) to µ-law codes of the same shape."""
    return _ULAW_CODES.take(np.frombuffer(samples, "<i2") if isinstance(samples, bytes) else samples)


def encode_alaw(samples: bytes | Samples) -> Codes:
    """PCM16 (little-endian bytes, or int16 of any shape) to A-law codes of the same shape."""
    return _ALAW_CODES.take(np.frombuffer(samples, "<i2") if isinstance(samples, bytes) else samples)


def ulaw_to_alaw(codes: bytes) -> bytes:
    """Recode without decoding; A-law is coarser near zero, so the way back is not lossless."""
    return codes.translate(_ULAW_TO_ALAW)


def alaw_to_ulaw(codes: bytes) -> bytes:
    """Recode without decoding."""
    return codes.translate(_ALAW_TO_ULAW)
