"""A TCP cable between a browser and a server that a test can pull out and put back."""

from __future__ import annotations

import contextlib
import socket
import threading


class Cable:
    """Forwards 127.0.0.1:`port` to `target`. `pull` breaks every connection and refuses new ones."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._pulled = False
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        self._pulled = True
        for end in self._ends:
            _shut(end)
        self._ends.clear()

    def put_back(self) -> None:
        self._pulled = False

    def close(self) -> None:
        self.pull()
        _shut(self._listener)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._pulled:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._target))
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            sink.sendall(piece)
    _shut(sink)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
