import numpy as np
import pytest
from audio_signals import sine

from offhook.audio.convert import to_bytes
from offhook.audio.frame import Encoding
from offhook.audio.level import Meter, amplitude, peak_db, rms_db


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("level", [1.0, 0.1, 0.01])
def test_a_sine(encoding, level):
    audio = to_bytes(sine(500, 8000, 0.1, level), encoding)
    expected = 20 * np.log10(level)
    assert rms_db(audio, encoding) == pytest.approx(expected - 3.01, abs=0.3)
    assert peak_db(audio, encoding) == pytest.approx(expected, abs=0.4)


@pytest.mark.parametrize("encoding", list(Encoding))
def test_nothing_is_silence(encoding):
    assert rms_db(b"", encoding) == -90
    assert peak_db(b"", encoding) == -90
    quiet = to_bytes(np.zeros(160, np.int16), encoding)
    assert rms_db(quiet, encoding) <= -70
    assert peak_db(quiet, encoding) <= -70


def test_the_loudest_sample_there_is():
    assert peak_db(np.array([0, -32768], np.int16).tobytes()) == 0.0
    assert rms_db(np.array([-32768], np.int16).tobytes()) == 0.0
    assert amplitude(0.0) == 32768.0
    assert amplitude(-20.0) == pytest.approx(3276.8)


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_meter_reads_what_came_since_the_last_reading(encoding):
    audio = to_bytes(sine(500, 8000, 0.1), encoding)
    meter = Meter(encoding)
    assert meter.read() == -90
    half = len(audio) // 2
    meter.add(audio[:half])
    meter.add(audio[half:])
    assert meter.read() == pytest.approx(rms_db(audio, encoding), abs=1e-3)
    assert meter.read() == -90
