"""Voice activity hysteresis in media time."""

from offhook.call.turns import Signal
from offhook.call.voice import Voice, VoiceTimes

WINDOW = 32


def feed(voice: Voice, probabilities, at_ms: int = 0):
    signals = []
    for probability in probabilities:
        signal = voice.feed(probability, at_ms, WINDOW)
        if signal is not None:
            signals.append((at_ms, signal))
        at_ms += WINDOW
    return signals, at_ms


def test_started_held_confirmed_paused():
    voice = Voice(VoiceTimes())
    signals, _ = feed(voice, [0.9] * 20 + [0.0] * 5)
    assert signals == [
        (32, Signal.SPEECH_STARTED),
        (64, Signal.SPEECH_HELD),
        (19 * 32, Signal.SPEECH_CONFIRMED),
        (24 * 32, Signal.SPEECH_PAUSED),
    ]
    assert (voice.speech_began_ms, voice.speech_ended_ms) == (0, 640)
    assert voice.silence_ms == 160
    assert voice.ever_spoke
    assert not voice.speaking


def test_one_loud_window_is_a_click():
    voice = Voice(VoiceTimes())
    assert feed(voice, [0.9, 0.0, 0.9, 0.0])[0] == []
    assert not voice.ever_spoke


def test_click_does_not_restart_the_silence():
    voice = Voice(VoiceTimes())
    _, at = feed(voice, [0.9] * 3 + [0.0] * 5)
    ended = voice.speech_ended_ms
    feed(voice, [0.9, 0.0], at)
    assert voice.silence_ms == 7 * WINDOW
    assert voice.speech_ended_ms == ended


def test_weak_speech_stays_but_does_not_start():
    voice = Voice(VoiceTimes())
    assert feed(voice, [0.4] * 10)[0] == []
    signals, _ = feed(voice, [0.9, 0.9] + [0.4] * 10)
    assert [s for _, s in signals] == [Signal.SPEECH_STARTED, Signal.SPEECH_HELD]


def test_absent_audio_is_silence():
    voice = Voice(VoiceTimes())
    feed(voice, [0.9] * 3)
    assert [voice.absent(20) for _ in range(8)] == [None] * 7 + [Signal.SPEECH_PAUSED]
    assert voice.absent(20) is None


def test_speech_after_a_pause_starts_again():
    voice = Voice(VoiceTimes())
    _, at = feed(voice, [0.9] * 3 + [0.0] * 5)
    signals, _ = feed(voice, [0.9] * 3, at)
    assert [s for _, s in signals] == [Signal.SPEECH_STARTED, Signal.SPEECH_HELD]
    assert voice.speech_began_ms == at
