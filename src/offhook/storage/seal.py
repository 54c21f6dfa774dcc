"""Turns the reels of one call into one stereo Ogg/Opus file: who calls left, who answers right.

Where more than one human was heard on the call there is a file of each leg besides, on the same timeline.

It reads a tape's directory and writes a draft within it. It names nothing final and deletes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import av
import av.error
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer

from offhook.audio.frame import AudioFormat
from offhook.audio.g711 import Samples
from offhook.foundation.errors import StorageError
from offhook.foundation.events import LegKind
from offhook.storage.manifest import Manifest, reel_path, reel_samples
from offhook.storage.track import RATE, Track

GUESTS = tuple(f"guest-{number}" for number in range(1, 33))
"""Others at the caller's end, in the order they came."""
LEFT = (LegKind.CALLER, *GUESTS)
HUMANS = (LegKind.OPERATOR, LegKind.SUPERVISOR)
RIGHT = (LegKind.AGENT, *HUMANS)
"""Of humans the tape has what the caller heard of them. The coach has no tape: the caller never hears it."""
LEGS = (*LEFT, *RIGHT)
_MONO_BIT_RATE = 32_000
BIT_RATE = 64_000
_DRAFT = ".sealing.ogg"
_OPTIONS = {"application": "audio", "vbr": "on", "compression_level": "1"}
"""Sealing is what a call costs most after it ended: level 5 takes 40 % more time for no gain at this rate."""


Watcher = Callable[[Samples], None]
"""Gets every second of the recording, int16 [n, 2] (of a leg [n]) at 16 kHz, in order."""


def seal(directory: Path, manifest: Manifest, watch: Watcher) -> Path | None:
    """Encode the tape in `directory`; the finished draft, synced to the disk, or None when there is no
    sound. Raises OSError, StorageError; what `watch` raises stops the work."""
    draft = directory / _DRAFT
    with ExitStack() as stack:
        sides = [_open(stack, directory, manifest.formats, legs) for legs in (LEFT, RIGHT)]
        total = max((track.samples for tracks in sides for track in tracks), default=0)
        if not total:
            return None
        try:
            with open(draft, "wb", opener=_opener) as file:
                with av.open(file, "w", format="ogg") as container:
                    _encode(container, sides, total, watch)
                file.flush()
                os.fsync(file.fileno())
        except av.error.FFmpegError as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise StorageError("the recording could not be encoded") from error
    return draft


def seal_legs(directory: Path, manifest: Manifest, watch: Watcher) -> dict[str, Path]:
    """A draft of each leg's own file, as long as the recording; none where there was nobody but caller and
    agent. Raises and is watched as `seal`."""
    sounds = {
        leg: reel_samples(reel_path(directory, leg), format) for leg, format in manifest.formats.items()
    }
    if not any(sounds.get(leg) for leg in (*HUMANS, *GUESTS)):
        return {}
    drafts = {}
    for leg in LEGS:
        if sounds.get(leg):
            drafts[leg] = directory / f".sealing.{leg}.ogg"
            _seal_leg(drafts[leg], directory, manifest, leg, watch)
    return drafts


def _seal_leg(draft: Path, directory: Path, manifest: Manifest, leg: str, watch: Watcher) -> None:
    with ExitStack() as stack:
        (track,) = _open(stack, directory, manifest.formats, (leg,))
        lengths = (
            -(-reel_samples(reel_path(directory, leg), f) * RATE // f.rate)
            for leg, f in manifest.formats.items()
        )
        total = max(lengths)
        try:
            with open(draft, "wb", opener=_opener) as file:
                with av.open(file, "w", format="ogg") as container:
                    _encode_leg(container, track, total, watch)
                file.flush()
                os.fsync(file.fileno())
        except av.error.FFmpegError as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise StorageError("a leg's recording could not be encoded") from error


def _encode_leg(container: OutputContainer, track: Track, total: int, watch: Watcher) -> None:
    stream: AudioStream = container.add_stream("libopus", rate=RATE, layout="mono", options=_OPTIONS)
    stream.bit_rate = _MONO_BIT_RATE
    for at in range(0, total, RATE):
        samples = track.take(min(RATE, total - at))
        watch(samples)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = at
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _open(
    stack: ExitStack, directory: Path, formats: dict[str, AudioFormat], legs: tuple[str, ...]
) -> list[Track]:
    tracks = [Track(reel_path(directory, leg), formats[leg]) for leg in legs if leg in formats]
    for track in tracks:
        stack.enter_context(track)
        track.sync()
    return tracks


def _mixed(tracks: list[Track], count: int) -> Samples:
    if len(tracks) == 1:
        return tracks[0].take(count)
    total = np.zeros(count, np.int32)
    for track in tracks:
        total += track.take(count)
    mixed: Samples = total.clip(-32768, 32767).astype(np.int16)
    return mixed


def _encode(container: OutputContainer, sides: list[list[Track]], total: int, watch: Watcher) -> None:
    stream: AudioStream = container.add_stream("libopus", rate=RATE, layout="stereo", options=_OPTIONS)
    stream.bit_rate = BIT_RATE
    for at in range(0, total, RATE):
        count = min(RATE, total - at)
        stereo: Samples = np.stack([_mixed(tracks, count) for tracks in sides], axis=1)
        watch(stereo)
        frame = av.AudioFrame.from_ndarray(stereo.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = at
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
