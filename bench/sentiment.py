"""How well sentiment is told, by words and by voice, and how long that takes.

Usage: python bench/sentiment.py [--set heldout|dev] [--wrong] [--speech FOLDER]. The held-out sets of
bench/sentiment_set were written before the training sets and are never trained or tuned on; one hand wrote
all of them. The voice part changes clips of speech (faster, louder, higher) and asks whether the change is
heard: that is synthetic, no recording of an angry caller. Without --speech it is left out.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np

from offhook.audio.g711 import decode_ulaw
from offhook.audio.prosody import measure
from offhook.audio.tempo import Tempo
from offhook.center.sentiment.arousal import Ear
from offhook.center.sentiment.reader import Label, TextReader
from offhook.center.sentiment.sense import Sense
from offhook.speech.plain import plain
from train_sentiment import Turn, figures, labelled, training

RATE = 8000
REPEATS = 5
ALIKE = 0.8


def words(name: str, show: bool) -> None:
    reader = TextReader(Sense())
    reader.read("hello there")
    for language in ("en", "ar"):
        turns = labelled(name, language)
        told, times = [], []
        for turn in turns:
            begin = time.perf_counter()
            read = reader.read(turn.text, language)
            times.append((time.perf_counter() - begin) * 1000)
            told.append((turn, read.label))
        print(f"{name} {language}: {figures(told)}")
        for tag in sorted({tag for turn in turns for tag in turn.tags}):
            own = [(turn, label) for turn, label in told if tag in turn.tags]
            print(f"   {tag}: {sum(t.label is label for t, label in own)}/{len(own)}")
        missed = Counter((t.label.value, label.value) for t, label in told if t.label is not label)
        print("   taken for: " + ", ".join(f"{a} for {b} {n}" for (a, b), n in missed.most_common()))
        opposite = sum(missed[pair] for pair in (("negative", "positive"), ("positive", "negative")))
        print(f"   good for ill or ill for good: {opposite} of {len(turns)}")
        print(f"   ms a turn: p50 {np.percentile(times, 50):.2f}, p95 {np.percentile(times, 95):.2f}")
        print(
            f"   like a training sentence (over {ALIKE:.0%} of their words shared): {_seen(turns, language)}"
        )
        if language == "en":
            _vader(turns)
        if show:
            for turn, label in told:
                if label is not turn.label:
                    print(f"   {turn.label.value} told {label.value}: {turn.text}")


def _seen(turns: list[Turn], language: str) -> int:
    known = [set(text.split()) for line in training(language) for text in line.variants]
    found = 0
    for turn in turns:
        said = set(plain(turn.text).split())
        found += any(len(said & other) / len(said | other) >= ALIKE for other in known)
    return found


def _vader(turns: list[Turn]) -> None:
    """The lexicon that is usual for English, where it is installed, for comparison."""
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError:
        return
    judge = SentimentIntensityAnalyzer()
    told = []
    for turn in turns:
        score = judge.polarity_scores(turn.text)["compound"]
        label = Label.POSITIVE if score >= 0.05 else Label.NEGATIVE if score <= -0.05 else Label.NEUTRAL
        told.append((turn, label))
    print(f"   vaderSentiment: {figures(told)}")


def changed(sound: np.ndarray, speed: float, gain_db: float, pitch_st: float) -> np.ndarray:
    """A clip said faster, louder, higher: the pitch by resampling, the speed by time stretching."""
    factor = 2 ** (pitch_st / 12)
    if pitch_st:
        at = np.arange(0, len(sound) - 1, factor)
        sound = np.interp(at, np.arange(len(sound)), sound).astype(np.int16)
    stretch = speed / factor
    if abs(stretch - 1) > 0.01:
        tempo = Tempo(RATE, stretch)
        sound = np.concatenate([tempo.feed(sound), tempo.finish()])
    return np.clip(sound * 10 ** (gain_db / 20), -32767, 32767).astype(np.int16)


def voices(folder: Path) -> None:
    clips = {path.stem: decode_ulaw(path.read_bytes()) for path in sorted(folder.glob("*.ulaw"))}
    count = dict.fromkeys(clips, 6)
    calm, times = [], []
    for name, clip in clips.items():
        for gain in (-1.0, 0.0, 1.0):
            calm.append((measure(changed(clip, 1.0, gain - 8, 0.0), RATE), count[name]))
    print(f"{len(clips)} clips; a caller's baseline is {len(calm)} calm turns of them, at -8 ± 1 dB")
    variants = {
        "calm, other level (+2 dB)": (1.0, -6.0, 0.0),
        "calm, other pitch (+1 st)": (1.0, -8.0, 1.0),
        "a little raised (+4 dB, +2 st, 10 % faster)": (1.1, -4.0, 2.0),
        "agitated (+8 dB, +5 st, 30 % faster)": (1.3, 0.0, 5.0),
        "agitated, level kept by the line (+5 st, 30 % faster)": (1.3, -8.0, 5.0),
        "loud alone (+8 dB)": (1.0, 0.0, 0.0),
        "subdued (-7 dB, -3 st, 20 % slower)": (0.8, -15.0, -3.0),
    }
    for title, (speed, gain, pitch) in variants.items():
        heard, found = [], []
        for name, clip in clips.items():
            ear = Ear()
            for voice, said in calm:
                ear.hear(voice, said)
            sound = changed(clip, speed, gain, pitch)
            for _ in range(REPEATS):
                begin = time.perf_counter()
                voice = measure(sound, RATE)
                times.append((time.perf_counter() - begin) * 1000 / (len(sound) / RATE))
            turn = ear.hear(voice, count[name])
            heard.append(turn.arousal)
            found.append(turn)
        shares = Counter(state.value for state in heard)
        means = [
            np.mean([getattr(t.deviation, part) for t in found]) for part in ("pitch_st", "level_db", "rate")
        ]
        print(
            f"   {title}: {dict(shares)}; heard {means[0]:+.1f} st, {means[1]:+.1f} dB, "
            f"rate × {2 ** means[2]:.2f}"
        )
    print(f"   measuring: p50 {np.percentile(times, 50):.2f}, p95 {np.percentile(times, 95):.2f} ms a second")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", default="heldout", choices=("heldout", "dev"))
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--speech", type=Path)
    chosen = parser.parse_args()
    words(chosen.set, chosen.wrong)
    if chosen.speech is not None:
        voices(chosen.speech)


if __name__ == "__main__":
    main()
