"""Makes the door to LiveKit's rooms from settings; there is none where no server is named."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from offhook.call.directory import Directory, House
from offhook.foundation.errors import MissingExtraError, SettingsError
from offhook.settings import Settings

if TYPE_CHECKING:
    from offhook.channels.livekit import LiveKit


def make_livekit(settings: Settings, house: House, directory: Directory) -> LiveKit | None:
    """Raises SettingsError where LiveKit is wanted, and its package is not there."""
    wanted = settings.livekit
    if not wanted.complete or wanted.api_secret is None:
        return None
    try:
        from offhook.channels.livekit import Keys, LiveKit, LiveKitRules, Rules
    except ImportError:
        raise SettingsError(MissingExtraError("livekit", "livekit").reason) from None
    rules = LiveKitRules(
        agent_name=wanted.agent_name,
        direct=wanted.join == "direct",
        public_url=wanted.public_url,
        token_life=timedelta(minutes=wanted.token_minutes),
        rooms=Rules(wanted.answers == "everyone", wanted.guests, wanted.wait_seconds, wanted.rejoin_seconds),
    )
    keys = Keys(wanted.url, wanted.api_key, wanted.api_secret.get_secret_value())
    return LiveKit(keys, rules, directory, frozenset(house.agents), lambda: house.media.load.level)
