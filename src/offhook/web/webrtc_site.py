"""The WebRTC callers' part of the site: their door, from settings and parts. Serves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offhook.settings import Settings
from offhook.web.call_tokens import CallTokens
from offhook.web.commons import Commons
from offhook.web.origin import Origins
from offhook.web.webrtc_door import RtcDoor

if TYPE_CHECKING:
    from offhook.web.site import Parts


def rtc_door(
    settings: Settings, parts: Parts, origins: Origins, tokens: CallTokens, commons: Commons
) -> RtcDoor:
    """The door, which refuses everyone where WebRTC is not offered."""
    return RtcDoor(
        parts.webrtc,
        parts.rtc_servers,
        parts.directory,
        parts.agents,
        origins,
        tokens,
        settings.require_call_tokens,
        commons.open,
        commons.attempts,
        settings.default_agent,
    )
