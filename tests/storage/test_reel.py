"""Where audio lands in a reel's file: gaps, jitter, overlaps, bounds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.storage.reel import LONGEST_SECONDS, Reel, veil

ALAW = AudioFormat(Encoding.ALAW, 8000)


def taped(
    path: Path, format: AudioFormat, frames: Iterable[tuple[int, bytes]], flush_each: bool = False
) -> bytes:
    """The leg's bytes as they would be read back."""
    path.unlink(missing_ok=True)
    reel = Reel(path, format)
    for at, audio in frames:
        reel.place(at, audio)
        if flush_each:
            reel.flush()
    reel.flush()
    reel.sync()
    reel.close()
    reel.close()
    reel.sync()
    return veil(path.read_bytes(), format.encoding)


@pytest.mark.parametrize("flush_each", [False, True])
@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([(0, b"aa"), (2, b"bb")], b"aabb"),
        ([(3, b"aa")], b"\xff\xff\xffaa"),
        ([(0, b"aa"), (5, b"bb")], b"aa\xff\xff\xffbb"),
        ([(0, b"a" * 400), (80, b"b" * 400)], b"a" * 400 + b"b" * 400),
        ([(0, b"a" * 400), (79, b"b" * 400)], b"a" * 400 + b"b" * 79),
        ([(0, b"a" * 400), (0, b"b" * 400)], b"a" * 400),
        ([(0, b"a" * 400), (80, b"b" * 400), (800, b"c")], b"a" * 400 + b"b" * 400 + b"c"),
        ([(-100, b"aa")], b"aa"),
        ([(-1000, b"a" * 900 + b"b" * 300)], b"b" * 200),
        ([(0, b"")], b""),
    ],
    ids=["next", "late start", "gap", "jitter", "overlap", "twice", "caught up", "early", "before", "empty"],
)
def test_places(tmp_path: Path, frames: list[tuple[int, bytes]], expected: bytes, flush_each: bool) -> None:
    assert taped(tmp_path / "x.part", PHONE, frames, flush_each) == expected


@pytest.mark.parametrize(
    ("format", "silence"), [(PHONE, b"\xff"), (ALAW, b"\xd5"), (WIDEBAND, b"\x00\x00")], ids=["µ", "a", "pcm"]
)
def test_a_long_gap_is_silence_and_takes_no_room(tmp_path: Path, format: AudioFormat, silence: bytes) -> None:
    half_an_hour = format.rate * 1800
    path = tmp_path / "x.part"
    found = taped(path, format, [(0, b"ab"), (half_an_hour, b"cd")])
    assert len(found) == half_an_hour * format.width + 2
    assert found.startswith(b"ab")
    assert found.endswith(silence + b"cd")
    assert found[2:-2].count(silence) * format.width == len(found) - 4
    assert path.stat().st_blocks * 512 <= 3 * 4096


def test_half_a_sample_is_left_out(tmp_path: Path) -> None:
    assert taped(tmp_path / "x.part", WIDEBAND, [(0, b"aab"), (1, b"cc")]) == b"aacc"


def test_positions_out_of_this_world_are_ignored(tmp_path: Path) -> None:
    far = 8000 * LONGEST_SECONDS
    frames = [(0, b"aa"), (far - 1, b"bb"), (2**62, b"cc"), (-(2**62), b"dd"), (2, b"ee")]
    assert taped(tmp_path / "x.part", PHONE, frames) == b"aaee"


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        Reel(tmp_path / "x.part", PHONE)
    assert not (tmp_path / "elsewhere").exists()


@given(st.binary(max_size=50), st.sampled_from(Encoding))
def test_the_veil_is_its_own_inverse(audio: bytes, encoding: Encoding) -> None:
    assert veil(veil(audio, encoding), encoding) == audio


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 400)), max_size=12), st.booleans())
def test_what_is_taped_once_never_moves_nor_changes(
    tmp_path_factory: pytest.TempPathFactory, frames: list[tuple[int, int]], flush_each: bool
) -> None:
    """Any frames: nothing lands before its place, nor more than the jitter after it, and lengths agree."""
    sounds = [(at, bytes([65 + index]) * size) for index, (at, size) in enumerate(frames)]
    path = tmp_path_factory.getbasetemp() / "any.part"
    found = taped(path, PHONE, sounds, flush_each)
    for index, (at, sound) in enumerate(sounds):
        code = 65 + index
        first, count = found.find(code), found.count(code)
        if count:
            assert at <= first <= at + 320 + len(sound)
            assert found[first : first + count] == bytes([code]) * count
    assert not found.endswith(b"\xff")
