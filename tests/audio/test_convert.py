import numpy as np
import pytest
from audio_signals import sine
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.audio import g711
from offhook.audio.convert import Converter, to_bytes, to_samples
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding

ALAW = AudioFormat(Encoding.ALAW, 8000)
NARROW = AudioFormat(Encoding.PCM16, 8000)
VOICE = AudioFormat(Encoding.PCM16, 24000)
FORMATS = [PHONE, ALAW, NARROW, WIDEBAND, VOICE]


def test_same_format_is_the_same_bytes():
    for format in (PHONE, ALAW):
        frame = bytes(range(160))
        converter = Converter(format, format)
        assert converter.process(frame) is frame
        assert converter.delay_ms == 0.0
        assert converter.flush() == b""
    frame = bytes(640)
    assert Converter(WIDEBAND, WIDEBAND).process(frame) is frame


def test_the_laws_are_recoded_without_decoding():
    codes = bytes(range(256))
    assert Converter(PHONE, ALAW).process(codes) == g711.ulaw_to_alaw(codes)
    assert Converter(ALAW, PHONE).process(codes) == g711.alaw_to_ulaw(codes)


def test_same_rate_is_decoded_and_encoded():
    codes = bytes(range(256))
    pcm = Converter(PHONE, NARROW).process(codes)
    assert pcm == g711.decode_ulaw(codes).astype("<i2").tobytes()
    assert Converter(NARROW, ALAW).process(pcm) == g711.ulaw_to_alaw(codes)


def test_a_voice_becomes_a_phone_stream():
    converter = Converter(VOICE, PHONE)
    assert 0 < converter.delay_ms <= 3
    out = converter.process(sine(440, 24000, 1.0).tobytes()) + converter.flush()
    assert len(out) == 8000 + round(converter.delay_ms * 8)
    heard = g711.decode_ulaw(out).astype(float)[200:7800]
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(32767 * 0.5 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_bytes_may_be_cut_anywhere(source, target, data):
    audio = np.random.default_rng(3).bytes(source.size(30))
    whole = Converter(source, target)
    expected = whole.process(audio) + whole.flush()
    cut = Converter(source, target)
    places = sorted(data.draw(st.lists(st.integers(0, len(audio)), max_size=8)))
    got = b""
    for start, end in zip([0, *places], [*places, len(audio)], strict=True):
        got += cut.process(audio[start:end])
        assert len(got) % target.width == 0
    assert got + cut.flush() == expected


def test_half_a_sample_is_dropped_by_flush_and_reset():
    for source, target in ((WIDEBAND, WIDEBAND), (WIDEBAND, NARROW)):
        converter = Converter(source, target)
        converter.process(b"\x01\x02\x03")
        converter.reset()
        fresh = Converter(source, target)
        assert converter.process(b"\x05\x06") == fresh.process(b"\x05\x06")
        converter.process(b"\x03")
        converter.flush()
        fresh.flush()
        assert converter.process(b"\x05\x06") == fresh.process(b"\x05\x06")


@pytest.mark.parametrize("encoding", list(Encoding))
def test_samples_and_bytes(encoding):
    pcm = g711.decode_ulaw(bytes([0x80, 0xFF, 0x10]))
    assert np.abs(to_samples(to_bytes(pcm, encoding), encoding).astype(int) - pcm).max() <= 600
    assert AudioFormat(encoding, 8000).silence(3) == to_bytes(np.zeros(3, np.int16), encoding)
