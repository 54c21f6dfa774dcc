"""Keypad strings and the loop guard."""

from offhook.call.limits import LOOP_REPEATS, LOOP_REPLIES, MAX_DIGITS, Keypad, LoopGuard


def test_loop_guard_opens_again():
    guard = LoopGuard()
    assert all(guard.allow(n * 100, f"Line {n}") for n in range(LOOP_REPLIES))
    assert not guard.allow(2000, "one more")
    assert guard.allow(30_001, "one more")


def test_loop_guard_knows_the_same_words():
    guard = LoopGuard()
    assert all(guard.allow(n * 1000, "Hello  there, friend") for n in range(LOOP_REPEATS))
    assert not guard.allow(5000, "hello there, friend")
    assert guard.allow(5000, "something else again")
    assert all(guard.allow(6000 + n, "yes") for n in range(LOOP_REPEATS + 1)), "people say yes often"


def test_keypad_ends_by_hash_pause_or_length():
    keypad = Keypad()
    assert [keypad.press(d, 0) for d in "12"] == ["", ""]
    assert keypad.press("#", 10) == "12"
    assert keypad.press("#", 20) == "", "a lone # is a digit"
    assert keypad.tick(1000) == ""
    assert keypad.tick(1520) == "#"
    assert keypad.tick(9999) == ""
    assert [keypad.press("1", 0) for _ in range(MAX_DIGITS)][-1] == "1" * MAX_DIGITS
