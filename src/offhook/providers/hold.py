"""What callers hear who wait, as the settings say: a prepared clip, or the notes. Keeps no clips."""

from __future__ import annotations

import structlog

from offhook.audio.convert import to_samples
from offhook.call.hold_audio import Pattern, hold_pattern, looped
from offhook.desk.clips import ClipShelf
from offhook.foundation.errors import NotFoundError, StorageError
from offhook.settings import Settings

_log = structlog.get_logger(__name__)


def make_hold(settings: Settings) -> Pattern:
    """Blocks for a moment. A clip that is not there is no reason not to answer: then it is the notes."""
    if not settings.hold_audio:
        return hold_pattern
    try:
        clip = ClipShelf(settings.data / "clips").get(settings.hold_audio)
    except (NotFoundError, StorageError) as error:
        _log.warning("hold audio is the usual one", clip=settings.hold_audio, reason=error.reason)
        return hold_pattern
    return looped(to_samples(clip.audio, clip.format.encoding), clip.format.rate)
