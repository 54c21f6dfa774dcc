"""Notices a peer that takes nothing of what was sent, by what the kernel knows of it. Linux only.

A TCP_USER_TIMEOUT alone does not bound this: while the window is closed it is looked at only when a probe is
due, and probes come ever more rarely. No protocol, no closing: it tells whom it was given.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable

_LINUX = sys.platform == "linux"
_SIZE = 160
_UNACKED = struct.Struct("=24xI")
_ACKED = struct.Struct("=120xQ16xI")
"""`tcp_info` of linux/tcp.h: segments in flight; bytes acknowledged, and bytes not yet sent."""


class Deafness:
    """Watches one connection; calls `on_deaf` after `checks` looks without any progress of what waits."""

    def __init__(self, connection: socket.socket | None, checks: int, on_deaf: Callable[[], None]) -> None:
        self._connection = connection
        self._checks = checks
        self._on_deaf = on_deaf
        self._acked = -1
        self._stuck = 0

    def check(self) -> None:
        """One look, by the watch."""
        if not _LINUX or self._connection is None:
            return
        try:
            info = self._connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
            (unacked,), (acked, unsent) = _UNACKED.unpack_from(info), _ACKED.unpack_from(info)
        except (OSError, struct.error):
            return  # gone already, or a kernel that tells less
        self._stuck = self._stuck + 1 if (unacked or unsent) and acked == self._acked else 0
        self._acked = acked
        if self._stuck >= self._checks:
            self._on_deaf()
