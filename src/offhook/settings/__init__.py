"""Settings: what can be set, and `load`, which reads every source and refuses what is wrong."""

from __future__ import annotations

from offhook.settings.livekit import LiveKit
from offhook.settings.models import Limits, Settings, Twilio
from offhook.settings.sources import load, secret_values
from offhook.settings.speech import Language, Speech
from offhook.settings.vendors import ElevenLabs, OpenAi

__all__ = [
    "ElevenLabs",
    "Language",
    "Limits",
    "LiveKit",
    "OpenAi",
    "Settings",
    "Speech",
    "Twilio",
    "load",
    "secret_values",
]
