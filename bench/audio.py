"""Measures what audio conversion costs per 20 ms, beside audioop and the hand-made pydub/ffmpeg way,
and what the streaming resampler does to sound: delay, THD+N, aliasing. `--json FILE` keeps the figures.

Run it as `python bench/audio.py`. Nothing of the product is replaced: the clips are made here.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from offhook.audio import g711
from offhook.audio.convert import Converter
from offhook.audio.decode import ClipDecoder, ClipKind
from offhook.audio.dtmf import DtmfDetector
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.audio.gaps import measure_turns
from offhook.audio.jitter import JitterBuffer
from offhook.audio.level import Meter
from offhook.audio.mix import mix
from offhook.audio.opus import OpusDecoder, OpusEncoder
from offhook.audio.resample import Resampler
from resampling import PAIRS, Row, audioop, noise, ratecv, resamplers, tone

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        import pydub
    except ImportError:
        pydub = None

OTHER_PAIRS = [(24000, 16000), (16000, 24000), (8000, 24000), (8000, 48000), (16000, 48000),
               (22050, 8000), (44100, 8000), (22050, 16000), (44100, 16000)]  # fmt: skip
VOICE = AudioFormat(Encoding.PCM16, 24000)
CHUNK_BYTES = 1024


def cost_us(work: Callable[[], object], rounds: int = 40) -> float:
    """Microseconds a call: the fastest of many short rounds, since the machine is shared."""
    work()
    began = time.perf_counter()
    work()
    count = max(1, int(0.004 / max(1e-7, time.perf_counter() - began)))
    fastest = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(count):
            work()
        fastest = min(fastest, (time.perf_counter() - began) / count)
    return fastest * 1e6


def mp3_clip(seconds: float) -> bytes:
    """24 kHz, 48 kbit/s, bare frames, as a voice provider streams them."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as file:
        stream = file.add_stream("libmp3lame", rate=24000, layout="mono")
        stream.bit_rate = 48000
        context = stream.codec_context
        frame = av.AudioFrame.from_ndarray(noise(24000, seconds).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 24000
        fit = av.AudioResampler(context.format, "mono", 24000, context.frame_size)
        for piece in fit.resample(frame) + fit.resample(None):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return out.getvalue()


def mp3_to_ulaw(clip: bytes) -> bytes:
    decoder, converter = ClipDecoder(ClipKind.MP3), Converter(VOICE, PHONE)
    pieces = [
        converter.process(decoder.feed(clip[at : at + CHUNK_BYTES]).tobytes())
        for at in range(0, len(clip), CHUNK_BYTES)
    ]
    return b"".join(pieces) + converter.process(decoder.finish().tobytes()) + converter.flush()


def ffmpeg_chunk(chunk: bytes) -> bytes:
    command = [
        "ffmpeg",
        "-loglevel",
        "quiet",
        "-f",
        "mp3",
        "-i",
        "pipe:0",
        "-ar",
        "8000",
        "-f",
        "mulaw",
        "pipe:1",
    ]
    return subprocess.run(command, input=chunk, capture_output=True, check=False).stdout


def pydub_chunk(chunk: bytes) -> bytes:
    segment = pydub.AudioSegment.from_file(io.BytesIO(chunk), format="mp3")
    raw = segment.set_frame_rate(8000).set_channels(1).set_sample_width(2).raw_data
    return audioop.lin2ulaw(raw, 2)


def conversions() -> list[Row]:
    """Cost of each conversion of 20 ms, and of the same by audioop where it has it."""
    pcm8, ulaw = noise(8000, 0.02), g711.encode_ulaw(noise(8000, 0.02)).tobytes()
    alaw = g711.ulaw_to_alaw(ulaw)
    batch = np.tile(np.frombuffer(ulaw, np.uint8), (100, 1))
    rows: list[Row] = []

    def row(
        name: str, ours: Callable[[], object], theirs: Callable[[], object] | None = None, per: int = 1
    ) -> None:
        by_audioop = cost_us(theirs) if theirs and audioop else None
        rows.append({"what": name, "offhook_us": cost_us(ours) / per, "audioop_us": by_audioop})

    row("µ-law → PCM16", lambda: g711.decode_ulaw(ulaw), lambda: audioop.ulaw2lin(ulaw, 2))
    row(
        "PCM16 → µ-law", lambda: g711.encode_ulaw(pcm8).tobytes(), lambda: audioop.lin2ulaw(pcm8.tobytes(), 2)
    )
    row("A-law → PCM16", lambda: g711.decode_alaw(alaw), lambda: audioop.alaw2lin(alaw, 2))
    row("µ-law → A-law", lambda: g711.ulaw_to_alaw(ulaw),
        lambda: audioop.lin2alaw(audioop.ulaw2lin(ulaw, 2), 2))  # fmt: skip
    row("µ-law → PCM16, batch of 100 calls", lambda: g711.decode_ulaw(batch), per=100)
    for source, target in PAIRS + OTHER_PAIRS:
        resampler, chunk = Resampler(source, target), noise(source, 0.02)
        theirs, pcm = ratecv(source, target), chunk.tobytes()
        row(f"{source} → {target} Hz", lambda r=resampler, c=chunk: r.process(c),
            lambda t=theirs, c=pcm: t(c))  # fmt: skip
    for source, target in ((VOICE, PHONE), (PHONE, WIDEBAND), (WIDEBAND, PHONE)):
        converter, audio = Converter(source, target), noise(24000, 0.02).tobytes()[: source.size(20)]
        name = f"{source.encoding} {source.rate} → {target.encoding} {target.rate}, bytes to bytes"
        row(name, lambda c=converter, a=audio: c.process(a))
    rows += other_work(ulaw, pcm8)
    return rows


def other_work(ulaw: bytes, pcm8: np.ndarray) -> list[Row]:
    encoder, decoder, wide = OpusEncoder(), OpusDecoder(), tone(16000, 0.02)
    packet = encoder.encode(wide)
    meter, detector, jitter, at = Meter(Encoding.ULAW), DtmfDetector(8000), JitterBuffer(PHONE), [0]

    def ordered() -> None:
        jitter.push(at[0], ulaw)
        at[0] += 160

    work: list[tuple[str, Callable[[], object]]] = [
        ("Opus encode, 16 kHz", lambda: encoder.encode(wide)),
        ("Opus decode to 16 kHz", lambda: decoder.decode(packet)),
        ("mix two frames, 8 kHz", lambda: mix([pcm8, pcm8])),
        ("meter, µ-law", lambda: meter.add(ulaw)),
        ("DTMF detection, 8 kHz", lambda: detector.process(pcm8)),
        ("jitter buffer, in order", ordered),
    ]
    return [{"what": name, "offhook_us": cost_us(call), "audioop_us": None} for name, call in work]


def chains() -> list[Row]:
    """MP3 → PCM → 8 kHz → µ-law, chunk by chunk: ours, and the hand-made way."""
    clip = mp3_clip(4.0)
    frames = len(mp3_to_ulaw(clip)) / 160
    chunks = [clip[at : at + CHUNK_BYTES] for at in range(0, len(clip), CHUNK_BYTES)]
    rows: list[Row] = []

    def row(name: str, total_us: float) -> None:
        rows.append({"what": name, "per_chunk_us": total_us / len(chunks), "per_20ms_us": total_us / frames})

    row("Offhook, in memory, one decoder a stream", cost_us(lambda: mp3_to_ulaw(clip)))
    for name, found, call in (
        ("ffmpeg process a chunk", shutil.which("ffmpeg"), ffmpeg_chunk),
        (
            "pydub (ffmpeg process a chunk) + audioop",
            pydub and audioop and shutil.which("ffmpeg"),
            pydub_chunk,
        ),
    ):
        if not found:
            rows.append({"what": f"{name}: not installed", "per_chunk_us": None, "per_20ms_us": None})
            continue
        began = time.perf_counter()
        for chunk in chunks[2:8]:
            call(chunk)
        row(name, (time.perf_counter() - began) * 1e6 / 6 * len(chunks))
    return rows


def gap_seconds() -> float:
    half_hour = np.tile(np.concatenate((noise(8000, 5), np.zeros(40000, np.int16))), 180)
    began = time.perf_counter()
    measure_turns(half_hour, np.roll(half_hour, 44000), 8000)
    return time.perf_counter() - began


def show(title: str, rows: list[Row]) -> None:
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(
            *(f"{v:.2f}" if isinstance(v, float) else "–" if v is None else str(v) for v in row.values())
        )
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"conversions": conversions(), "chains": chains(), "resamplers": resamplers()}
    result["gaps_of_30_min_s"] = gap_seconds()
    show("Cost per 20 ms of audio (µs)", result["conversions"])
    show(f"MP3 in chunks of {CHUNK_BYTES} bytes → PCM → 8 kHz → µ-law (µs)", result["chains"])
    show("Streaming resamplers, 20 ms chunks", result["resamplers"])
    print(f"Turn gaps of a 30-minute call: {result['gaps_of_30_min_s']:.2f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
