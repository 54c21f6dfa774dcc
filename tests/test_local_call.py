"""Calls at the machine itself: the choice of channel, typed lines, and what happens when nothing is there."""

import asyncio
import io
import sys

import pytest

from offhook import local_call
from offhook.foundation.errors import LimitError
from offhook.foundation.events import ChannelKind


class Desk:
    def __init__(self, full=False):
        self.full, self.arrived, self.lines, self.closed = full, [], [], None

    def arrive(self, channel, arrival):
        if self.full:
            raise LimitError("no capacity for another call now")
        self.arrived.append(channel)
        return "call_1", self

    def on_text(self, text):
        self.lines.append(text)

    def on_mark(self, name): ...

    def on_closed(self, reason):
        self.closed = reason


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def no_card(monkeypatch):
    monkeypatch.setattr(local_call, "has_sound_package", lambda: False)


async def test_typed_lines_reach_the_call_and_its_end_hangs_up(monkeypatch, no_card):
    monkeypatch.setattr(sys, "stdin", Terminal("hello\nwhat do you charge?\n"))
    desk = Desk()
    assert local_call.begin_local_call(desk) == "call_1"
    for _ in range(200):
        await asyncio.sleep(0.005)
        if desk.closed is not None:
            break
    assert desk.lines == ["hello", "what do you charge?"]
    assert desk.arrived[0].kind is ChannelKind.TEXT


async def test_without_a_terminal_the_call_is_silent(monkeypatch, no_card):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    desk = Desk()
    local_call.begin_local_call(desk)
    assert desk.arrived[0].kind is ChannelKind.SILENT


async def test_a_sound_card_that_cannot_be_used_is_no_end(monkeypatch):
    monkeypatch.setattr(local_call, "has_sound_package", lambda: True)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    desk = Desk()
    local_call.begin_local_call(desk)
    assert desk.arrived[0].kind is ChannelKind.SILENT


async def test_no_room_is_no_error(monkeypatch, no_card):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert local_call.begin_local_call(Desk(full=True)) == ""
