import numpy as np
import pytest
from audio_signals import speech_like

from offhook.audio import g711
from offhook.audio.dtmf import DIGITS, DtmfDetector, dtmf_tones


def detect(samples, rate, chunk=None):
    detector = DtmfDetector(rate)
    chunk = chunk or rate // 50
    return "".join(detector.process(samples[at : at + chunk]) for at in range(0, len(samples), chunk))


def heard(tones, seed=0, snr_db=20.0):
    noise = np.random.default_rng(seed)
    power = np.sqrt(np.mean(tones.astype(float) ** 2)) / 10 ** (snr_db / 20)
    return (tones + noise.normal(0, power, len(tones))).clip(-32768, 32767).astype(np.int16)


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
@pytest.mark.parametrize(("on", "off", "level"), [(100, 100, -12), (40, 40, -12), (50, 60, -30)])
def test_every_digit_is_found_once(rate, on, off, level):
    tones = dtmf_tones(DIGITS + "5500", rate, on, off, level)
    for lead in (0, 37, 101):
        samples = np.concatenate((np.zeros(lead, np.int16), tones))
        assert detect(heard(samples), rate) == DIGITS + "5500"


def test_through_a_phone_line_and_in_any_chunks():
    tones = g711.decode_ulaw(g711.encode_ulaw(heard(dtmf_tones(DIGITS, 8000, 60, 60))))
    for chunk in (1, 13, 160, 4000, len(tones)):
        assert detect(tones, 8000, chunk) == DIGITS


@pytest.mark.parametrize("drift", [0.985, 1.015])
def test_tones_a_little_off_pitch(drift):
    tones = dtmf_tones(DIGITS, 8000, 80, 80)
    places = np.arange(0, len(tones) - 1, drift)
    assert detect(np.interp(places, np.arange(len(tones)), tones).astype(np.int16), 8000) == DIGITS


def pair(low, high, a, b, seconds=0.2):
    time = np.arange(int(8000 * seconds)) / 8000
    return (a * np.sin(2 * np.pi * low * time) + b * np.sin(2 * np.pi * high * time)).astype(np.int16)


def test_what_is_no_digit():
    assert detect(np.zeros(8000, np.int16), 8000) == ""
    assert detect(pair(770, 1336, 60, 60), 8000) == ""
    assert detect(pair(770, 1336, 9000, 0), 8000) == ""
    assert detect(pair(770, 1336, 12000, 2000), 8000) == ""
    assert detect(pair(350, 440, 9000, 9000), 8000) == ""
    assert detect(pair(770, 852, 9000, 9000), 8000) == ""
    two = pair(697, 1209, 5000, 5000) + pair(941, 1477, 5000, 5000)
    assert detect(two, 8000) == ""
    assert detect(np.random.default_rng(2).normal(0, 6000, 80000).astype(np.int16), 8000) == ""


def test_speech_is_no_digit():
    for seed in range(4):
        assert detect(speech_like(8000, 20.0, seed), 8000) == ""


def test_a_short_drop_does_not_make_two_digits():
    tones = dtmf_tones("7", 8000, 200, 50)
    tones[800:840] = 0
    assert detect(tones, 8000) == "7"


def test_made_tones():
    assert len(dtmf_tones("", 8000)) == 0
    assert len(dtmf_tones("12", 8000, 100, 50)) == 2 * 1200
    with pytest.raises(ValueError):
        dtmf_tones("x", 8000)
