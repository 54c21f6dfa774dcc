"""Measures what vendors' audio becomes on a leg: signal to noise, delay, and cost per 20 ms, for every format
that a voice can come in, cut at random places. `--json FILE` keeps the figures.

Run it as `python bench/provider_audio.py`. The speech is synthetic and has nothing above 3.2 kHz, so that
8 kHz can hold all of it: what differs is the conversion's (and, for MP3 and Opus, the codec's) doing.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from offhook.audio.convert import to_samples
from offhook.audio.decode import ClipKind
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat
from offhook.speech.tts.elevenlabs import source_named
from offhook.speech.tts.sound import Sound, Source

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.fakes.http_vendor import cut
from tests.fakes.likeness import likeness
from tests.fakes.voice import at_rate, encoded

FORMATS = (
    "ulaw_8000", "alaw_8000", "pcm_8000", "pcm_16000", "pcm_22050", "pcm_24000", "pcm_44100", "pcm_48000",
    "wav_24000", "mp3_22050_32", "mp3_24000_48", "mp3_44100_64", "mp3_44100_128",
    "opus_48000_32", "opus_48000_64",
)  # fmt: skip
LEGS = {"phone": PHONE, "16 kHz": WIDEBAND}
SECONDS = 6.0
LONGEST = 4_000
ROUNDS = 15

Row = dict[str, Any]


def play(source: Source, chunks: list[bytes], leg: AudioFormat) -> bytes:
    sound = Sound("vendor", source, leg, 1 << 30)
    audio = b"".join(map(sound.feed, chunks)) + sound.finish()
    sound.check()
    return audio


def measure(name: str, leg: AudioFormat) -> Row:
    """One format to one leg. `same`: bytes do not depend on where the stream is cut."""
    source = Source(ClipKind.WAV) if name.startswith("wav") else source_named(name)
    clip = encoded(name, SECONDS)
    cuts = [cut(clip, random.Random(seed), LONGEST) for seed in range(8)]
    whole = play(source, [clip], leg)
    found = likeness(at_rate(SECONDS, leg.rate), to_samples(whole, leg.encoding), leg.rate)
    fastest = float("inf")
    for number in range(ROUNDS):
        began = time.perf_counter()
        play(source, cuts[number % len(cuts)], leg)
        fastest = min(fastest, time.perf_counter() - began)
    return {
        "snr_db": found.snr_db,
        "gain_db": found.gain_db,
        "delay_ms": found.delay_ms,
        "us_per_20ms": fastest * 1e6 / (SECONDS * 50),
        "same": all(play(source, chunks, leg) == whole for chunks in cuts),
        "untouched": whole == clip,
    }


def cell(row: Row) -> list[str]:
    snr = "same bytes" if row["untouched"] else f"{row['snr_db']:.1f}"
    return [snr, f"{abs(row['delay_ms']):.1f}", f"{row['us_per_20ms']:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    rows = {name: {leg: measure(name, format) for leg, format in LEGS.items()} for name in FORMATS}
    table = Table(title=f"Vendor audio in chunks of 1 to {LONGEST} bytes, to a leg", title_justify="left")
    table.add_column("vendor sends")
    for leg in LEGS:
        for title in (f"{leg}: SNR, dB", "delay, ms", "µs per 20 ms"):
            table.add_column(title, justify="right")
    table.add_column("same however cut")
    for name, legs in rows.items():
        same = all(row["same"] for row in legs.values())
        cells = [text for row in legs.values() for text in cell(row)]
        table.add_row(name, *cells, "yes" if same else "NO")
    Console(width=140).print(table)
    print(
        "The phone's µ-law itself has about 37 dB. Delay of MP3 is the encoder's, which no header tells here."
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
