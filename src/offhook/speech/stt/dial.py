"""Connects to a vendor's recognizer by WebSocket. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable

from offhook.speech import dialing
from offhook.speech.stt.dialect import Dialect, Limits, Wire
from offhook.speech.stt.line import MAX_MESSAGE, Line


async def dial(name: str, dialect: Dialect, limits: Limits, on_message: Callable[[Line, Wire], None]) -> Line:
    """A connection for the dialect. Raises ProviderError."""
    line = Line(name, dialect, limits, on_message)
    await dialing.dial(
        name,
        dialect.url(),
        dialect.headers(),
        lambda: line,
        seconds=limits.connect,
        most_bytes=4 * MAX_MESSAGE,  # the line has a reason for what is too big, picows has none
        subject="the model or its options",
        enable_auto_ping=True,
        auto_ping_idle_timeout=limits.silence / 2,
        auto_ping_reply_timeout=limits.silence / 2,
    )
    return line
