import numpy as np
import pytest
from audio_signals import speech_like
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.audio.opus import OpusDecoder, OpusEncoder, decode_packet, open_decoder
from offhook.foundation.errors import WireError

VOICE = speech_like(16000, 1.0)


def packets(rate=16000, voice=VOICE):
    encoder = OpusEncoder(rate)
    size = encoder.frame_size
    return [encoder.encode(voice[at : at + size]) for at in range(0, len(voice) - size + 1, size)]


def test_speech_survives_with_the_stated_delay():
    decoder = OpusDecoder(16000)
    heard = np.concatenate([decoder.decode(packet) for packet in packets()]).astype(float)
    assert len(heard) == len(VOICE)
    here = VOICE[3200:12800].astype(float)
    scores = [float(np.dot(here, heard[3200 + k : 12800 + k])) for k in range(320)]
    best = int(np.argmax(scores))
    there = heard[3200 + best : 12800 + best]
    assert scores[best] / np.linalg.norm(here) / np.linalg.norm(there) > 0.8
    assert best / 16 == pytest.approx(8.1, abs=0.5)


@pytest.mark.parametrize("rate", [8000, 12000, 16000, 24000, 48000])
def test_rates(rate):
    sent = packets(rate, speech_like(rate, 0.2))
    assert len(sent) == 10
    assert all(0 < len(packet) < 400 for packet in sent)
    assert len(OpusDecoder(8000).decode(sent[0])) == 160


def test_a_frame_is_20_ms():
    with pytest.raises(ValueError, match="320 samples"):
        OpusEncoder().encode(VOICE[:100])


def test_other_rates_are_refused():
    with pytest.raises(WireError, match="44100"):
        OpusEncoder(44100)


def test_malformed_packets_do_not_stop_the_stream():
    decoder = OpusDecoder()
    good = packets()
    for bad in (b"", b"\xff", bytes(9000), b"\xff\xff\xff"):
        with pytest.raises(WireError, match="Opus packet"):
            decoder.decode(bad)
        assert len(decoder.decode(good[0])) == 320


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_give_sound_or_a_wire_error(data):
    try:
        assert len(OpusDecoder().decode(data)) <= 16000 * 0.12
    except WireError:
        pass


def test_pre_skip_can_eat_a_whole_packet():
    head = b"OpusHead\x01\x01" + (2000).to_bytes(2, "little") + (48000).to_bytes(4, "little") + b"\0\0\0"
    decoder = open_decoder(head)
    sent = packets()
    assert decode_packet(decoder, sent[0]).shape == (0, 1)
    assert len(decode_packet(decoder, sent[1])) == 0
    assert len(decode_packet(decoder, sent[2])) == 2880 - 2000
