"""Measures the local speech models on human utterances: word errors, times, ends of turns, onsets.

    python bench/speech.py DIR

where DIR was built by bench/speech_corpus.py. Everything goes through 8 kHz µ-law, as on a phone.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import time
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from num2words import num2words

from offhook.audio.convert import to_bytes
from offhook.audio.frame import PHONE, Encoding
from offhook.speech.clip import levels, unpack
from offhook.speech.stt.moonshine import MoonshineStt
from offhook.speech.tts.hibari import HibariTts
from offhook.speech.turn.smart_turn import SmartTurn
from offhook.speech.vad.silero import SileroVad

SENTENCES = (
    "Sure.",
    "How can I help you?",
    "We are open from nine in the morning to six in the evening.",
    "A haircut is thirty-five dollars, and we have time for you on Tuesday.",
)
_SHORT_FORMS = {"i'm": "i am", "that's": "that is", "you're": "you are", "can't": "cannot"}


def words(text: str) -> list[str]:
    """Words to compare: lower case, numbers spelled out, short forms written in full, no punctuation."""
    text = re.sub(r"\d+", lambda number: f" {num2words(int(number[0]))} ", text.lower().replace("’", "'"))
    for short, long in _SHORT_FORMS.items():
        text = text.replace(short, long)
    return re.sub(r"[^a-z']+", " ", text).split()


def errors(wanted: Sequence[str], got: Sequence[str]) -> int:
    """Words to insert, delete or replace."""
    row = list(range(len(got) + 1))
    for i, word in enumerate(wanted):
        diagonal, row[0] = row[0], i + 1
        for j, other in enumerate(got):
            diagonal, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, diagonal + (word != other))
    return row[-1]


def onset_delay(audio: bytes) -> float | None:
    """Milliseconds from the first 10 ms louder than -42 dBFS to the end of the first window of speech."""
    sound = unpack(audio, PHONE, 8000)
    noise = np.random.default_rng(3).standard_normal(4096) * 8
    onset = len(noise) + 80 * int(np.flatnonzero(levels(sound, 8000) > -42)[0])
    stream = np.concatenate([noise, sound * 32767]).astype(np.int16)
    vad = SileroVad(8000)
    slot = vad.open()
    for end in range(vad.window, len(stream) + 1, vad.window):
        if vad.probabilities([slot], stream[None, end - vad.window : end])[0] > 0.5:
            return (end - onset) / 8
    return None


async def hear(corpus: Path) -> None:
    stt, turn = MoonshineStt(), SmartTurn()
    wrong = total = 0
    times, judged, whole, halves, onsets = [], [], [], [], []
    for name, text in json.loads((corpus / "texts.json").read_text()).items():
        with wave.open(str(corpus / f"{name}.wav")) as source:
            audio = to_bytes(np.frombuffer(source.readframes(source.getnframes()), "<i2"), Encoding.ULAW)
        recognizer = stt.open(PHONE, "en")
        recognizer.begin()
        recognizer.push(audio + PHONE.silence(PHONE.samples(300)))
        start = time.perf_counter()
        said = (await recognizer.finish()).text
        times.append((time.perf_counter() - start) * 1000)
        if count := errors(words(text), words(said)):
            print(f"  {count} wrong: {text} | {said}")
        wrong += count
        total += len(words(text))
        pause = PHONE.silence(PHONE.samples(200))
        start = time.perf_counter()
        whole.append(await turn.complete(audio + pause, PHONE))
        judged.append((time.perf_counter() - start) * 1000)
        halves.append(await turn.complete(audio[: len(audio) // 2] + pause, PHONE))
        onsets.append(onset_delay(audio))
    heard = [delay for delay in onsets if delay is not None]
    print(f"Moonshine: {len(times)} utterances, {total} words, WER {100 * wrong / total:.1f} %")
    print(f"  ms per utterance: median {statistics.median(times):.0f}, longest {max(times):.0f}")
    ended, cut = sum(p > 0.5 for p in whole), sum(p > 0.5 for p in halves)
    print(f"smart-turn: {statistics.median(judged):.0f} ms; taken as complete (> 0.5):")
    print(f"  {ended}/{len(whole)} whole utterances, {cut}/{len(halves)} cut in the middle")
    print(f"Silero onset: median {statistics.median(heard):.0f} ms, longest {max(heard):.0f} ms")
    await stt.close()
    await turn.close()


async def speak() -> None:
    tts = HibariTts(cache_bytes=0)
    for text in SENTENCES:
        times = []
        size = 0
        for _ in range(5):
            start = time.perf_counter()
            size = sum([len(piece) async for piece in tts.speak(text, "", "en", PHONE)])
            times.append((time.perf_counter() - start) * 1000)
        print(f"hibari: {statistics.median(times):.0f} ms for {PHONE.ms(size):.0f} ms of speech: {text}")
    await tts.close()


def batches() -> None:
    for rate in (8000, 16_000):
        vad = SileroVad(rate)
        slots = [vad.open() for _ in range(128)]
        sound = (np.random.default_rng(1).standard_normal((128, vad.window)) * 3000).astype(np.int16)
        for size in (1, 32, 128):
            vad.probabilities(slots[:size], sound[:size])
            rounds = 2000 // (size + 9)
            start = time.perf_counter()
            for _ in range(rounds):
                vad.probabilities(slots[:size], sound[:size])
            each = (time.perf_counter() - start) / rounds / size * 1e6
            print(f"Silero {rate} Hz, batch {size}: {each:.0f} µs per window of 32 ms")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    asyncio.run(hear(Path(sys.argv[1])))
    asyncio.run(speak())
    batches()
