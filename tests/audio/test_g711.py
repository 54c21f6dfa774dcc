import warnings

import numpy as np
import pytest

from offhook.audio import g711

DECODED = {
    0x00: (-32124, -5504), 0x80: (32124, 5504), 0x01: (-31100, -5248), 0x81: (31100, 5248),
    0x0F: (-16764, -6784), 0x8F: (16764, 6784), 0x10: (-15996, -2752), 0x90: (15996, 2752),
    0x2A: (-5372, -32256), 0xAA: (5372, 32256), 0x55: (-716, -8), 0xD5: (716, 8),
    0x6F: (-132, -1696), 0xEF: (132, 1696), 0x7E: (-8, -880), 0xFE: (8, 880),
    0x7F: (0, -848), 0xFF: (0, 848),
}  # fmt: skip
ENCODED_ULAW = {
    0: 0xFF, 1: 0xFF, 2: 0xFF, 3: 0xFF, 4: 0xFE, 5: 0xFE, 8: 0xFE, -1: 0x7F, -2: 0x7F, -3: 0x7F,
    -4: 0x7F, -8: 0x7E, 100: 0xF2, -100: 0x73, 1000: 0xCE, -1000: 0x4E, 8159: 0x9F, -8159: 0x1F,
    32767: 0x80, -32768: 0x00,
}  # fmt: skip
CODES = bytes(range(256))
SAMPLES = np.arange(-32768, 32768).astype(np.int16)


@pytest.mark.parametrize(("code", "levels"), DECODED.items())
def test_decoders_give_the_reference_levels(code, levels):
    assert (g711.decode_ulaw(bytes([code]))[0], g711.decode_alaw(bytes([code]))[0]) == levels


@pytest.mark.parametrize(("sample", "code"), ENCODED_ULAW.items())
def test_ulaw_encoder_is_the_reference(sample, code):
    assert g711.encode_ulaw(np.array([sample], np.int16))[0] == code


def test_agreement_with_another_implementation():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        audioop = pytest.importorskip("audioop")
    assert g711.decode_ulaw(CODES).tobytes() == audioop.ulaw2lin(CODES, 2)
    assert g711.decode_alaw(CODES).tobytes() == audioop.alaw2lin(CODES, 2)
    assert g711.encode_alaw(SAMPLES).tobytes() == audioop.lin2alaw(SAMPLES.tobytes(), 2)
    theirs = np.frombuffer(audioop.lin2ulaw(SAMPLES.tobytes(), 2), np.uint8)
    ours = g711.encode_ulaw(SAMPLES)
    assert np.count_nonzero(ours != theirs) == 508
    assert np.abs((ours & 0x7F).astype(int) - (theirs & 0x7F)).max() == 1


def test_codes_survive_a_round_trip():
    ulaw = g711.encode_ulaw(g711.decode_ulaw(CODES)).tobytes()
    assert ulaw == CODES[:0x7F] + b"\xff" + CODES[0x80:]
    assert g711.encode_alaw(g711.decode_alaw(CODES)).tobytes() == CODES


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_error_is_within_half_a_step(law):
    decode, encode = getattr(g711, f"decode_{law}"), getattr(g711, f"encode_{law}")
    error = np.abs(decode(encode(SAMPLES)).astype(int) - SAMPLES)
    step = np.maximum(16, np.abs(SAMPLES.astype(int)) // 16 + 16)
    assert np.all(error <= step)
    assert np.all(np.diff(decode(encode(SAMPLES)).astype(int)) >= 0)


@pytest.mark.parametrize(("level", "least"), [(0.691, 36), (0.691 / 10, 36), (0.691 / 31.6, 35)])
@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_signal_to_noise_ratio_of_a_telephone_tone(law, level, least):
    decode, encode = getattr(g711, f"decode_{law}"), getattr(g711, f"encode_{law}")
    tone = np.sin(2 * np.pi * 1004 * np.arange(8000) / 8000) * 32767 * level
    heard = decode(encode(np.rint(tone).astype(np.int16)))
    assert 10 * np.log10(np.mean(tone**2) / np.mean((heard - tone) ** 2)) >= least


def test_digital_milliwatt():
    tone = g711.decode_ulaw(bytes.fromhex("1E0B0B1E9E8B8B9E")).astype(float)
    assert np.sqrt(np.mean(tone**2)) == pytest.approx(16017, abs=1)
    tone = g711.decode_alaw(bytes.fromhex("34212134B4A1A1B4")).astype(float)
    assert np.sqrt(np.mean(tone**2)) == pytest.approx(16139, abs=1)


def test_batches_and_bytes_give_the_same():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 256, (7, 160), np.uint8)
    for decode, encode in [(g711.decode_ulaw, g711.encode_ulaw), (g711.decode_alaw, g711.encode_alaw)]:
        batch = decode(codes)
        assert batch.shape == codes.shape
        assert batch.dtype == np.int16
        for row, frame in zip(batch, codes, strict=True):
            assert np.array_equal(row, decode(frame.tobytes()))
            assert np.array_equal(encode(row), encode(row.tobytes()))
        assert encode(batch).shape == codes.shape


def test_recoding_is_decoding_and_encoding():
    ulaw = g711.encode_alaw(g711.decode_ulaw(CODES)).tobytes()
    assert g711.ulaw_to_alaw(CODES) == ulaw
    assert g711.alaw_to_ulaw(CODES) == g711.encode_ulaw(g711.decode_alaw(CODES)).tobytes()
    assert g711.ulaw_to_alaw(b"\xff") == b"\xd5"
