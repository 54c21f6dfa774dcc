"""Marks across clears and connections."""

from __future__ import annotations

from offhook.protocols.marks import MAX_MARKS, Marks


def test_a_mark_comes_back_once_and_says_whether_it_was_heard() -> None:
    marks = Marks()
    first, second = marks.issue("a"), marks.issue("a")
    assert first != second
    assert marks.returned(first) == ("a", True)
    assert marks.returned(first) is None
    marks.clear()
    assert marks.returned(second) == ("a", False)


def test_nothing_comes_back_from_a_peer_that_is_gone() -> None:
    marks = Marks()
    name = marks.issue("a")
    marks.forget()
    assert marks.returned(name) is None


def test_only_so_many_are_remembered() -> None:
    marks = Marks()
    names = [marks.issue("a") for _ in range(MAX_MARKS + 1)]
    assert marks.returned(names[0]) is None
    assert marks.returned(names[1]) == ("a", True)
