"""libopus itself: what is lost is concealed or found again; what is no packet is refused; none at all."""

from __future__ import annotations

import numpy as np
import pytest

from offhook.audio import libopus
from offhook.audio.libopus import LossyDecoder, LossyEncoder
from offhook.audio.opus import OpusDecoder
from offhook.foundation.errors import WireError

RATE = 16_000
FRAME = RATE // 50


def speech(seconds: float = 1.0) -> np.ndarray:
    """A voice-like sound that changes all the time."""
    time = np.arange(int(RATE * seconds)) / RATE
    pitch = 140 + 40 * np.sin(2 * np.pi * 1.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = sum(np.sin(n * phase) / n for n in range(1, 12)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    return (sound * 6000).astype(np.int16)


def frames(sound: np.ndarray) -> list[bytes]:
    return [sound[at : at + FRAME].tobytes() for at in range(0, len(sound) - FRAME + 1, FRAME)]


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two sounds."""
    a, b = one.astype(float), other.astype(float)
    return float(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))


def test_a_stream_comes_through_as_with_the_other_wrapper() -> None:
    encoder, decoder, wrapper = LossyEncoder(), LossyDecoder(), OpusDecoder(RATE)
    packets = [encoder.encode(frame) for frame in frames(speech())]
    ours = np.concatenate([decoder.decode(packet) for packet in packets])
    theirs = np.concatenate([wrapper.decode(packet) for packet in packets])
    assert len(ours) == len(packets) * FRAME
    best = max(likeness(ours[4000:12000], theirs[4000 + lag : 12000 + lag]) for lag in range(200))
    assert best > 0.98


def test_a_lost_packet_is_found_in_the_next_where_loss_was_expected() -> None:
    encoder, whole = LossyEncoder(), LossyDecoder()
    encoder.expect_loss(30)
    packets = [encoder.encode(frame) for frame in frames(speech())]
    true = [whole.decode(packet) for packet in packets]
    recovered, concealed = [], []
    for lost in range(10, 40):
        for found, mend in ((recovered, True), (concealed, False)):
            decoder = LossyDecoder()
            for packet in packets[:lost]:
                decoder.decode(packet)
            filled = decoder.recover(packets[lost + 1], FRAME) if mend else decoder.conceal(FRAME)
            assert len(filled) == FRAME
            found.append(likeness(filled, true[lost]))
    assert np.median(recovered) > 0.9
    assert np.median(recovered) > np.median(concealed)


def test_long_concealment_fades() -> None:
    encoder, decoder = LossyEncoder(), LossyDecoder()
    for frame in frames(speech()):
        decoder.decode(encoder.encode(frame))
    levels = [np.abs(decoder.conceal(FRAME).astype(float)).mean() for _ in range(20)]
    assert levels[0] > 500
    assert levels[-1] < levels[0] / 2
    assert len(decoder.conceal(10 * RATE)) == RATE * libopus.MOST_MS // 1000


@pytest.mark.parametrize("packet", [b"", b"\xff" * 20, bytes(8_000)])
def test_what_is_no_packet_is_refused_and_the_next_is_heard(packet: bytes) -> None:
    decoder = LossyDecoder()
    with pytest.raises(WireError):
        decoder.decode(packet)
    assert len(decoder.decode(LossyEncoder().encode(bytes(2 * FRAME)))) == FRAME


def test_only_whole_frames_and_rates_that_opus_knows() -> None:
    with pytest.raises(ValueError, match="640 bytes"):
        LossyEncoder().encode(bytes(3))
    with pytest.raises(WireError, match="44100"):
        LossyEncoder(44_100)
    with pytest.raises(WireError, match="44100"):
        LossyDecoder(44_100)


def test_an_encoder_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = LossyEncoder()
    monkeypatch.setattr(encoder, "_room", encoder._room.__class__(), raising=True)
    monkeypatch.setattr(encoder, "frame_size", 7)
    with pytest.raises(WireError, match="does not encode"):
        encoder.encode(bytes(14))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    libopus._library.cache_clear()
    try:
        monkeypatch.setattr(libopus, "_places", lambda: ["no-such-library.so", "libc.so.6"])
        assert not libopus.available()
        for make in (LossyDecoder, LossyEncoder):
            with pytest.raises(WireError, match="no libopus"):
                make()
    finally:
        libopus._library.cache_clear()
    monkeypatch.undo()
    assert libopus.available()


def test_the_systems_library_is_looked_for_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda name: "libopus.so.0")
    assert libopus._places()[-1] == "libopus.so.0"
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    assert all("opus" in place for place in libopus._places())
