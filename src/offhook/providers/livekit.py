"""Makes the door to LiveKit's rooms from settings; there is none where no server is named."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from offhook.call.directory import Directory, House
from offhook.foundation.errors import ConflictError, MissingExtraError, SettingsError
from offhook.foundation.events import CallEvent
from offhook.settings import Settings

if TYPE_CHECKING:
    from offhook.channels.livekit import LiveKit

ENDING_TRIES, ENDING_S = 20, 0.5


def make_livekit(settings: Settings, house: House, directory: Directory) -> LiveKit | None:
    """Raises SettingsError where LiveKit is wanted, and its package is not there."""
    wanted = settings.livekit
    if not wanted.complete or wanted.api_secret is None:
        return None
    try:
        from offhook.channels.livekit import Bucket, EgressRules, Keys, LiveKit, LiveKitRules, Rules
    except ImportError:
        raise SettingsError(MissingExtraError("livekit", "livekit").reason) from None
    to = wanted.egress_s3
    bucket = Bucket(**to.model_dump(exclude={"secret"}), secret=to.secret.get_secret_value()) if to else None
    rules = LiveKitRules(
        agent_name=wanted.agent_name,
        direct=wanted.join == "direct",
        public_url=wanted.public_url,
        token_life=timedelta(minutes=wanted.token_minutes),
        rooms=Rules(wanted.answers == "everyone", wanted.guests, wanted.wait_seconds, wanted.rejoin_seconds),
        egress=EgressRules(wanted.egress_path, bucket) if wanted.egress else None,
    )
    keys = Keys(wanted.url, wanted.api_key, wanted.api_secret.get_secret_value())

    async def note(call_id: str, event: CallEvent) -> None:
        """On a timeline, live or kept; a call that is just ending is waited for."""
        for _ in range(ENDING_TRIES):
            if directory.emit(call_id, event):
                return
            try:
                await house.store.append(call_id, event)
            except ConflictError:
                await asyncio.sleep(ENDING_S)
            else:
                return

    return LiveKit(keys, rules, directory, frozenset(house.agents), lambda: house.media.load.level, note)
