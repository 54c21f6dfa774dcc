"""Playback: pacing, marks, hold and resume, cut; nothing is lost, nothing claimed that was not heard."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.frame import PHONE
from offhook.call.playback import GRACE_MS, Playback
from offhook.engines.base import Clause


class Wire:
    """A channel that only keeps what it is given."""

    def __init__(self):
        self.log, self.marks = [], []

    def play(self, audio):
        self.log.append(audio)

    def clear(self):
        self.log.append("clear")

    def mark(self, name):
        self.marks.append(name)


def make(lead_ms=80, room_ms=20_000):
    wire, heard = Wire(), []
    return Playback(wire, PHONE, lambda at, audio: heard.append((at, audio)), lead_ms, room_ms), wire, heard


def sound(ms: int, start: int = 0) -> bytes:
    return bytes((start + n) % 251 for n in range(ms * 8))


def run(playback, wire, start, end, step=20, marks=True):
    for now in range(start, end, step):
        if playback.tick(now):
            return now
        if marks:
            for name in wire.marks:
                playback.marked(name)
            wire.marks.clear()
    return None


def test_lead_goes_out_as_one_message_then_frame_by_frame():
    playback, wire, heard = make()
    playback.open()
    playback.add(Clause("hello", sound(200)))
    playback.close()
    assert run(playback, wire, 0, 400) == 200
    assert [len(m) for m in wire.log] == [640, 160, 160, 160, 160, 160, 160]
    assert b"".join(a for _, a in heard) == sound(200)
    assert [at for at, _ in heard] == [0, 80, 100, 120, 140, 160, 180]
    assert playback.heard_all() == "hello"
    assert playback.underruns == 0


def test_late_tick_catches_up_in_one_message():
    playback, wire, _ = make()
    playback.open()
    playback.add(Clause("hello", sound(400)))
    playback.tick(0)
    playback.tick(60)
    assert [len(m) for m in wire.log] == [640, 480]


def test_running_dry_in_mid_reply_is_an_underrun():
    playback, wire, _ = make()
    playback.open()
    playback.add(Clause("one", sound(100)))
    run(playback, wire, 0, 300)
    playback.add(Clause("two", sound(100)))
    playback.tick(300)
    assert playback.underruns == 1


def test_without_marks_the_estimate_decides_after_a_grace():
    playback, wire, _ = make()
    playback.open()
    playback.add(Clause("one", sound(100)))
    playback.close()
    done = run(playback, wire, 0, 2000, marks=False)
    assert 100 + GRACE_MS <= done <= 100 + GRACE_MS + 40


def test_empty_reply_is_done_at_once():
    playback, _, _ = make()
    playback.open()
    playback.close()
    assert playback.tick(0)
    assert not playback.active
    assert not playback.tick(20), "told once"


def test_hold_takes_back_what_was_not_heard_and_resume_plays_it():
    playback, wire, heard = make()
    playback.open()
    playback.add(Clause("hello there", sound(400)))
    playback.close()
    run(playback, wire, 0, 110)
    playback.hold(113)
    assert wire.log[-1] == "clear"
    assert sum(len(a) for _, a in heard) == 113 * 8
    assert not playback.tick(200)
    assert wire.log[-1] == "clear"
    playback.resume()
    assert run(playback, wire, 300, 1000) is not None
    assert b"".join(a for _, a in heard) == sound(400)
    assert playback.heard_all() == "hello there"


def test_cut_tells_heard_from_unheard():
    playback, wire, _ = make()
    playback.open()
    playback.add(Clause("one two", sound(100)))
    playback.add(Clause("three four", sound(100)))
    playback.add(Clause("five", sound(100)))
    run(playback, wire, 0, 170)
    assert playback.cut(170) == ("one two three", "four five")
    assert wire.log[-1] == "clear"
    assert (playback.active, playback.queued) == (False, 0)


def test_cut_after_everything_was_sent_still_clears():
    playback, wire, heard = make(lead_ms=1000)
    playback.open()
    playback.add(Clause("one two three four five", sound(500)))
    playback.close()
    playback.tick(0)
    assert sum(map(len, wire.log)) == 4000, "everything is at the vendor already"
    assert playback.cut(250) == ("one two", "three four five")
    assert wire.log[-1] == "clear"
    assert sum(len(a) for _, a in heard) == 2000


async def test_the_engine_waits_when_enough_is_queued():
    playback, wire, _ = make(room_ms=1000)
    playback.open()
    playback.add(Clause("long", sound(1200)))
    waiting = asyncio.create_task(playback.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    run(playback, wire, 0, 400)
    await waiting


@pytest.mark.parametrize("held_first", [True, False])
async def test_cut_frees_a_waiting_engine(held_first):
    playback, _, _ = make(room_ms=100)
    playback.open()
    playback.add(Clause("long", sound(1200)))
    if held_first:
        playback.hold(10)
    playback.cut(20)
    await playback.room()


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=5),
    st.lists(st.tuples(st.sampled_from(["tick", "hold", "resume", "mark"]), st.integers(0, 60)), max_size=80),
    st.booleans(),
)
def test_every_byte_is_heard_once_and_in_order(lengths, moves, cut_at_end):
    playback, wire, heard = make()
    playback.open()
    whole = b""
    for length in lengths:
        piece = sound(length, len(whole))
        playback.add(Clause("w", piece))
        whole += piece
    playback.close()
    now, held = 0, False
    for move, wait in moves:
        now += wait
        if move == "tick":
            playback.tick(now)
        elif move == "hold" and not held and playback.active:
            playback.hold(now)
            held = True
        elif move == "resume" and held:
            playback.resume()
            held = False
        elif move == "mark" and wire.marks:
            playback.marked(wire.marks.pop(0))
    if cut_at_end and playback.active:
        playback.cut(now)
    else:
        playback.resume()
        run(playback, wire, now, now + 4000)
    taken = b"".join(audio for _, audio in heard)
    assert whole.startswith(taken)
    if not cut_at_end:
        assert taken == whole
    ends = [at + len(audio) / 8 for at, audio in heard]
    assert all(at >= end - 1e-6 for end, (at, _) in zip(ends, heard[1:], strict=False))


def test_a_clause_that_comes_in_pieces_is_one_clause_with_one_mark_at_its_end():
    playback, wire, heard = make()
    playback.open()
    said = playback.add(Clause("The price is twenty dollars.", sound(60)))
    for _ in range(4):
        playback.add(Clause("", sound(60), more=True))
    playback.add(Clause("Anything else?", sound(100)))
    playback.close()
    run(playback, wire, 0, 300, marks=False)
    assert wire.marks == ["m1"]
    assert len(said.pieces) == 5
    run(playback, wire, 300, 700)
    assert playback.heard_all() == "The price is twenty dollars. Anything else?"
    assert len(b"".join(a for _, a in heard)) == 400 * 8


def test_a_cut_in_an_unfinished_clause_does_not_claim_the_words_whose_sound_never_came():
    playback, wire, _ = make()
    playback.open()
    playback.add(Clause("a" * 9 + " " + "b" * 9 + " " + "c" * 30, sound(200)))
    playback.add(Clause("", sound(200), more=True))
    run(playback, wire, 0, 700)
    heard, unheard = playback.cut(700)
    assert heard == ""  # 400 ms of an expected 3,000
    assert unheard.startswith("aaaa")


def test_pieces_confirmed_by_one_mark_are_all_confirmed():
    playback, wire, _ = make()
    playback.open()
    for n in range(10):
        playback.add(Clause("word " if n else "first ", sound(60), more=n > 0))
    playback.close()
    run(playback, wire, 0, 620)
    assert playback.cut(620, confirmed=True)[0] != ""
