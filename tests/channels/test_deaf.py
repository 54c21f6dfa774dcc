"""A peer that takes nothing is told from one that is slow, idle or gone."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator

import pytest

from offhook.channels.deaf import Deafness

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection whose first end does not block, and whose second has a small buffer."""
    with socket.socket() as listener, socket.socket() as peer:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(listener.getsockname())
        ours, _ = listener.accept()
        with ours:
            ours.setblocking(False)
            yield ours, peer


def fill(ours: socket.socket) -> None:
    """Send until the kernel takes no more."""
    try:
        while True:
            ours.send(bytes(65_536))
    except BlockingIOError:
        time.sleep(0.05)  # what is under way arrives


def test_a_peer_that_takes_nothing_is_deaf(pair: tuple[socket.socket, socket.socket]) -> None:
    told: list[bool] = []
    deafness = Deafness(pair[0], 3, lambda: told.append(True))
    fill(pair[0])
    for expected in (0, 0, 0, 1):
        deafness.check()
        assert len(told) == expected


def test_a_slow_peer_is_not_deaf(pair: tuple[socket.socket, socket.socket]) -> None:
    told: list[bool] = []
    deafness = Deafness(pair[0], 2, lambda: told.append(True))
    fill(pair[0])
    for _ in range(5):
        deafness.check()
        left = 65_536  # enough for the window to open
        while left > 0:
            left -= len(pair[1].recv(left))
    assert told == []


def test_a_peer_that_has_everything_is_not_deaf(pair: tuple[socket.socket, socket.socket]) -> None:
    told: list[bool] = []
    deafness = Deafness(pair[0], 1, lambda: told.append(True))
    pair[0].send(b"hello")
    assert pair[1].recv(5) == b"hello"
    for _ in range(5):
        deafness.check()
    assert told == []


def test_without_a_connection_nobody_is_deaf(pair: tuple[socket.socket, socket.socket]) -> None:
    told: list[bool] = []
    fill(pair[0])
    pair[0].close()
    for connection in (None, pair[0]):
        deafness = Deafness(connection, 1, lambda: told.append(True))
        deafness.check()
        deafness.check()
    assert told == []
