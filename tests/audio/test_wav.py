import io
import struct
import wave

import numpy as np
import pytest
from audio_signals import sine
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.decode import ClipKind, decode_clip
from offhook.audio.frame import PHONE, AudioFormat, Encoding
from offhook.audio.wav import from_float, parse_header, read_wav, to_mono, wav_header, write_wav
from offhook.foundation.errors import WireError

TONE = sine(440, 16000, 0.05)


def wav(tag, bits, body, channels=1, rate=16000, extra=b"", before=b"", block=None):
    block = channels * bits // 8 if block is None else block
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits) + extra
    chunks = (
        before + struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + struct.pack("<4sI", b"data", len(body)) + body
    )
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def test_what_is_written_is_read_by_others_and_by_us():
    for samples in (TONE, np.stack((TONE, -TONE), axis=1)):
        data = write_wav(samples, 16000)
        with wave.open(io.BytesIO(data)) as file:
            assert file.getframerate() == 16000
            assert file.getnchannels() == samples.ndim
            assert file.readframes(10**6) == samples.tobytes()
        back, rate = read_wav(data)
        assert rate == 16000
        assert np.array_equal(back, samples.reshape(len(samples), -1))


def test_law_headers():
    codes = bytes(range(200))
    data = wav_header(PHONE, len(codes)) + codes
    header = parse_header(data)
    assert header is not None
    assert (header.tag, header.bits, header.rate, header.block) == (7, 8, 8000, 1)
    assert header.size == 200
    assert len(data) == header.offset + 200
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    odd = wav_header(PHONE, 3)
    assert struct.unpack_from("<I", odd, 4)[0] == len(odd) - 8 + 3 + 1


def test_streaming_sizes_mean_until_the_end():
    for size in (0, 0xFFFFFFFF):
        data = bytearray(write_wav(TONE, 16000))
        struct.pack_into("<I", data, 40, size)
        assert np.array_equal(read_wav(bytes(data))[0][:, 0], TONE)
    assert wav_header(AudioFormat(Encoding.PCM16, 16000), None)[40:44] == b"\xff" * 4


GUID_TAIL = bytes.fromhex("000000001000800000AA00389B71")


@pytest.mark.parametrize(
    ("tag", "bits", "body", "expected"),
    [
        (1, 16, b"\x01\x00\xff\x7f", [1, 32767]),
        (1, 8, b"\x80\x00\xff", [0, -32768, 32512]),
        (1, 24, b"\x99\x01\x00\x99\xff\x7f", [1, 32767]),
        (1, 32, b"\x99\x99\x01\x00\x99\x99\xff\x7f", [1, 32767]),
        (3, 32, struct.pack("<4f", 0.5, -1.0, 7.0, float("nan")), [16384, -32768, 32767, 0]),
        (6, 8, b"\xd5\x2a", [8, -32256]),
        (7, 8, b"\xff\x00", [0, -32124]),
    ],
)
def test_every_supported_depth(tag, bits, body, expected):
    samples, rate = read_wav(wav(tag, bits, body))
    assert rate == 16000
    assert samples[:, 0].tolist() == expected
    extensible = struct.pack("<HHIH", 22, bits, 4, tag) + GUID_TAIL
    assert read_wav(wav(0xFFFE, bits, body, extra=extensible))[0][:, 0].tolist() == expected
    assert decode_clip(ClipKind.WAV, wav(tag, bits, body))[0].tolist() == expected


def test_other_chunks_before_the_samples():
    junk = b"LIST\x03\x00\x00\x00abc\x00"
    assert read_wav(wav(1, 16, b"\x05\x00", before=junk))[0].tolist() == [[5]]


def test_a_file_cut_short_gives_whole_samples():
    data = write_wav(np.stack((TONE, TONE), axis=1), 16000)
    assert len(read_wav(data[: 44 + 4 * 10 + 3])[0]) == 10


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends within"),
        (b"RIFF", "ends within"),
        (write_wav(TONE, 16000)[:30], "ends within"),
        (write_wav(TONE, 16000)[:40], "ends within"),
        (b"RIFX\x00\x00\x00\x00WAVE", "not a WAV"),
        (b"\xff\xfb\x90", "not a WAV"),
        (b"RIFF\x00\x00\x00\x00WAVEdata\x00\x00\x00\x00", "no format"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt \x04\x00\x00\x00abcd", "too short"),
        (b"RIFF\x00\x00\x00\x00WAVEjunk\xff\xff\xff\x7f", "too long"),
        (wav(2, 4, b""), "not supported"),
        (wav(0xFFFE, 16, b""), "not supported"),
        (wav(1, 16, b"", channels=0, block=0), "no sense"),
        (wav(1, 16, b"", rate=0), "no sense"),
        (wav(1, 16, b"", block=3), "no sense"),
    ],
)
def test_garbage_gets_a_reason(data, reason):
    with pytest.raises(WireError, match=reason):
        read_wav(data)


@given(st.binary(max_size=120), st.booleans())
def test_any_bytes_give_samples_or_a_wire_error(data, begun):
    try:
        read_wav(b"RIFF\x00\x00\x00\x00WAVE" + data if begun else data)
    except WireError:
        pass


def test_mono():
    assert to_mono(TONE) is TONE
    assert to_mono(np.array([[3], [4]], np.int16)).tolist() == [3, 4]
    assert to_mono(np.array([[32767, 32767], [-10, 20]], np.int16)).tolist() == [32767, 5]


def test_floats_saturate():
    assert from_float(np.array([1.0, -2.0, np.inf, -np.inf], np.float32)).tolist() == [
        32767,
        -32768,
        32767,
        -32768,
    ]
