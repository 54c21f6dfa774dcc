"""`offhook serve` whose calls say back what they hear, at once: no engine, no turns; for `webrtc.py delay`.

The doors, the sockets, the channels and the pages are the real ones; what stands behind them is not.
"""

from __future__ import annotations

import sys

from offhook.call.directory import Directory
from offhook.channels.base import Arrival, CallerListener, Channel
from offhook.cli.main import app
from offhook.foundation.events import EndReason
from offhook.foundation.ids import call_id


class Echo:
    """Implements CallerListener."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        self._channel.play(audio)

    def on_mark(self, name: str) -> None: ...

    def on_digit(self, digit: str) -> None: ...

    def on_text(self, text: str) -> None: ...

    def on_lost(self) -> None: ...

    def on_resumed(self) -> None: ...

    def on_closed(self, reason: EndReason) -> None: ...


def arrive(self: Directory, channel: Channel, arrival: Arrival) -> tuple[str, CallerListener]:
    return arrival.call_id or call_id(), Echo(channel)


if __name__ == "__main__":
    Directory.arrive = arrive  # type: ignore[method-assign]
    sys.argv[0] = "offhook"
    app()
