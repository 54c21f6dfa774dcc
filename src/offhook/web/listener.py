"""The listening socket, and the address to show for it. Accepts nothing."""

from __future__ import annotations

import socket

from offhook.foundation.errors import SettingsError

_SEND_BUFFER = 32_768
_USER_TIMEOUT_MS = 5_000


def listen(host: str, port: int, backlog: int = 1024) -> socket.socket:
    """A listening socket whose connections cannot stall us: bounded buffers, dead peers dropped in 5 s.

    Raises OSError when the address cannot be used (`errno` says why), SettingsError when it is none.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
        listener.setblocking(False)
        listener.bind((host, port))
        listener.listen(backlog)
    except socket.gaierror:
        listener.close()
        raise SettingsError(f"host is {host!r}: not an address of this machine") from None
    except OSError:
        listener.close()
        raise
    return listener


def address(host: str, port: int) -> str:
    """The http address under which this machine reaches a server that listens there."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
