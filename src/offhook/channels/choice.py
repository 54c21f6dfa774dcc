"""Which channel a caller at this machine gets, and why, in one sentence. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from offhook.foundation.events import ChannelKind


@dataclass(frozen=True, slots=True)
class Choice:
    """A channel and the reason for it, safe to show."""

    kind: ChannelKind
    reason: str


def choose_channel(*, use_websocket_audio: bool, sound_card: bool, terminal: bool) -> Choice:
    """The channel for the setting USE_WEBSOCKET_AUDIO on this machine.

    `sound_card` says whether the optional package for it is installed, `terminal` whether someone can type.
    """
    if use_websocket_audio:
        return Choice(ChannelKind.BROWSER, "The browser's microphone is used; no sound card is needed here.")
    if sound_card:
        return Choice(
            ChannelKind.DEVICE, "USE_WEBSOCKET_AUDIO is false, so this machine's sound card is used."
        )
    missing = "USE_WEBSOCKET_AUDIO is false, but the sound card needs: pip install 'offhook[sound]'"
    if terminal:
        return Choice(ChannelKind.TEXT, f"{missing}; the call goes on as text.")
    return Choice(ChannelKind.SILENT, f"{missing}; the call goes on without sound.")


def has_sound_package() -> bool:
    """Whether `sounddevice` is installed; it is not imported."""
    return find_spec("sounddevice") is not None
