"""Prepared clips: decoded once, kept whole, refused when they are too long or no sound at all."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.voice import at_rate, encoded

from offhook.audio.convert import to_samples
from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.wav import write_wav
from offhook.desk import clips
from offhook.desk.clips import ClipShelf
from offhook.foundation.errors import LimitError, NotFoundError, StorageError, WireError


@pytest.fixture
def shelf(tmp_path: Path) -> ClipShelf:
    return ClipShelf(tmp_path / "clips")


@pytest.mark.parametrize(
    ("name", "rate"),
    [("wav_8000", 8_000), ("wav_24000", 24_000), ("mp3_24000_48", 24_000), ("opus_48000_64", 24_000)],
)
def test_every_kind_is_kept_as_it_sounds(shelf: ClipShelf, name: str, rate: int) -> None:
    note = shelf.add("hold-on", encoded(name, 1.5), "op-1", "One moment.")
    assert (note.rate, note.by, note.text) == (rate, "op-1", "One moment.")
    assert note.seconds == pytest.approx(1.5, abs=0.07)
    clip = ClipShelf(shelf._folder).get("hold-on")
    assert clip.note == note
    assert clip.format == AudioFormat(Encoding.PCM16, rate)
    heard = to_samples(clip.audio, Encoding.PCM16).astype(float)
    wanted = at_rate(1.5, rate).astype(float)[: len(heard)]
    loud = np.sqrt(np.mean(heard**2)) / np.sqrt(np.mean(wanted**2))
    assert loud == pytest.approx(1, abs=0.1)


def test_two_channels_at_48_khz_become_one_at_24(shelf: ClipShelf) -> None:
    samples = np.stack([at_rate(1, 48_000)] * 2, axis=1)
    assert shelf.add("a", write_wav(samples, 48_000), "op-1").rate == 24_000


def test_clips_are_listed_replaced_and_deleted(shelf: ClipShelf) -> None:
    assert shelf.notes() == []
    shelf.add("b", encoded("wav_8000", 1), "op-1")
    shelf.add("a", encoded("wav_8000", 1), "op-1")
    old = shelf.get("a")
    assert shelf.get("a") is old  # from memory
    shelf.add("a", encoded("wav_8000", 2), "op-2", "new")
    assert [(note.name, note.seconds, note.by) for note in shelf.notes()] == [
        ("a", 2, "op-2"),
        ("b", 1, "op-1"),
    ]
    assert shelf.get("a").note.seconds == 2
    shelf.delete("a")
    for gone in (shelf.get, shelf.delete):
        with pytest.raises(NotFoundError):
            gone("a")
    assert [note.name for note in shelf.notes()] == ["b"]
    assert sorted(path.name for path in shelf._folder.iterdir()) == ["b.json", "b.wav"]


def test_another_worker_sees_what_this_one_did(shelf: ClipShelf) -> None:
    other = ClipShelf(shelf._folder)
    shelf.add("a", encoded("wav_8000", 1), "op-1")
    assert other.get("a").note.seconds == 1
    other.delete("a")
    with pytest.raises(NotFoundError):
        shelf.get("a")


@pytest.mark.parametrize("name", ["", "A", "../a", "a/b", ".a", "-a", "a" * 49, "ä", "a.wav", "a\n"])
def test_a_name_is_never_a_path(shelf: ClipShelf, name: str) -> None:
    with pytest.raises(WireError, match="name"):
        shelf.add(name, encoded("wav_8000", 1), "op-1")
    for reach in (shelf.get, shelf.delete):
        with pytest.raises(NotFoundError):
            reach(name)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no WAV, MP3 or Ogg"),
        (b"<html>", "no WAV, MP3 or Ogg"),
        (b"\xff", "no WAV, MP3 or Ogg"),
        (b"RIFF", "within its header"),
        (b"RIFF\x00\x00\x00\x00WAVE", "within its header"),
        (b"OggS" + bytes(100), "Ogg|Opus"),
        (b"ID3" + bytes(100), "MP3"),
        (encoded("wav_8000", 1)[:44], "no sound"),
        (write_wav(np.zeros(61 * 8_000, np.int16), 8_000), "at most 60 seconds"),
        (b"RIFF" + bytes(clips.MAX_FILE), "at most 12 MiB"),
    ],
)
def test_what_is_no_clip_is_refused_and_leaves_nothing(shelf: ClipShelf, data: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        shelf.add("a", data, "op-1")
    assert shelf.notes() == []


def test_a_small_file_of_long_sound_is_not_decoded_to_its_end(
    shelf: ClipShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed = []
    decoder = clips.ClipDecoder

    class Counting(decoder):  # type: ignore[valid-type, misc]
        def feed(self, data: bytes) -> object:
            fed.append(len(data))
            return super().feed(data)

    monkeypatch.setattr(clips, "ClipDecoder", Counting)
    long = encoded("mp3_8000_8", 30.0) * 30
    with pytest.raises(WireError, match="at most 60 seconds"):
        shelf.add("a", long, "op-1")
    assert sum(fed) < len(long) / 2


def test_there_is_room_for_so_many(shelf: ClipShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "MAX_CLIPS", 2)
    for name in ("a", "b"):
        shelf.add(name, encoded("wav_8000", 1), "op-1")
    with pytest.raises(LimitError, match="delete one"):
        shelf.add("c", encoded("wav_8000", 1), "op-1")
    shelf.add("b", encoded("wav_8000", 1), "op-1")


def test_memory_holds_no_more_than_its_bound(shelf: ClipShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "CACHE_BYTES", 40_000)
    for name in ("a", "b", "c"):
        shelf.add(name, encoded("wav_8000", 1), "op-1")
    first = shelf.get("a")
    shelf.get("b")
    last = shelf.get("c")
    assert shelf.get("c") is last
    assert shelf.get("a") is not first


def test_a_damaged_note_or_sound_is_no_disaster(shelf: ClipShelf) -> None:
    for name in ("a", "b"):
        shelf.add(name, encoded("wav_8000", 1), "op-1")
    (shelf._folder / "a.json").write_text("{")
    (shelf._folder / "b.json").write_text(json.dumps({"odd": 1}))
    assert [(note.name, note.by) for note in shelf.notes()] == [("a", ""), ("b", "")]
    (shelf._folder / "b.wav").write_bytes(b"no sound")
    with pytest.raises(StorageError):
        ClipShelf(shelf._folder).get("b")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "clips").write_bytes(b"a file")
    shelf = ClipShelf(tmp_path / "clips")
    with pytest.raises(StorageError, match="could not be written"):
        shelf.add("a", encoded("wav_8000", 1), "op-1")
    with pytest.raises(StorageError):
        shelf.get("a")


def test_a_wav_that_lies_about_its_size_gives_what_it_has(shelf: ClipShelf) -> None:
    data = bytearray(encoded("wav_8000", 1))
    struct.pack_into("<I", data, 40, 0x7FFF_FFFF)
    assert shelf.add("a", bytes(data), "op-1").seconds == 1
