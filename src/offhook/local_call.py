"""A call at this machine when USE_WEBSOCKET_AUDIO is false: by its sound card, else typed, else silent."""

from __future__ import annotations

import asyncio
import sys
import threading

import structlog

from offhook.channels.base import Arrival, Reception
from offhook.channels.choice import choose_channel, has_sound_package
from offhook.channels.device import DeviceChannel
from offhook.channels.silent import SilentChannel
from offhook.channels.text import TextChannel
from offhook.foundation.errors import OffhookError, ProviderError
from offhook.foundation.events import ChannelKind

_log = structlog.get_logger(__name__)


def begin_local_call(reception: Reception) -> str:
    """Place the call on the running loop; returns its id, or an empty string when there is no room for it.
    A sound card that cannot be opened is no error: the call goes on as text, or silent."""
    terminal = sys.stdin is not None and sys.stdin.isatty()
    sound_card = has_sound_package()
    while True:
        choice = choose_channel(use_websocket_audio=False, sound_card=sound_card, terminal=terminal)
        _log.info("local call", channel=choice.kind, reason=choice.reason)
        try:
            return _begin(choice.kind, reception)
        except ProviderError as error:
            if choice.kind is not ChannelKind.DEVICE:
                raise
            _log.warning("the sound card cannot be used", reason=error.reason)
            sound_card = False
        except OffhookError as error:
            _log.warning("no local call", reason=error.reason)
            return ""


def _begin(kind: ChannelKind, reception: Reception) -> str:
    arrival = Arrival(caller="local")
    if kind is ChannelKind.DEVICE:
        return DeviceChannel().begin(reception, arrival)
    if kind is ChannelKind.SILENT:
        return SilentChannel().begin(reception, arrival)
    channel = TextChannel(lambda line: print(line, flush=True))
    call_id = channel.begin(reception, arrival)
    loop = asyncio.get_running_loop()
    threading.Thread(target=_read_lines, args=(loop, channel), name="typed-lines", daemon=True).start()
    return call_id


def _read_lines(loop: asyncio.AbstractEventLoop, channel: TextChannel) -> None:
    """Lines typed at the terminal, until its end; the loop may be gone by then."""
    try:
        for line in sys.stdin:
            loop.call_soon_threadsafe(channel.line, line)
        loop.call_soon_threadsafe(channel.leave)
    except RuntimeError:
        return
