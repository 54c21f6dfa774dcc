"""Environment names that users of other systems already have, as Offhook's own. Reads no environment."""

from __future__ import annotations

import json
import re

PREFIX = "OFFHOOK_"
VENDOR_NAMES = {
    "USE_WEBSOCKET_AUDIO": "OFFHOOK_USE_WEBSOCKET_AUDIO",
    "TWILIO_ACCOUNT_SID": "OFFHOOK_TWILIO__ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN": "OFFHOOK_TWILIO__AUTH_TOKEN",
    "TWILIO_FROM_NUMBER": "OFFHOOK_TWILIO__FROM_NUMBER",
    "OPENAI_API_KEY": "OFFHOOK_OPENAI__API_KEY",
    "DEEPGRAM_API_KEY": "OFFHOOK_DEEPGRAM__API_KEY",
    "CARTESIA_API_KEY": "OFFHOOK_CARTESIA__API_KEY",
    "ANTHROPIC_API_KEY": "OFFHOOK_ANTHROPIC__API_KEY",
    "ELEVENLABS_API_KEY": "OFFHOOK_ELEVENLABS__API_KEY",
    "AGENT_ID": "OFFHOOK_ELEVENLABS__AGENT_ID",
    "TTS_MODEL": "OFFHOOK_ELEVENLABS__MODEL",
    "TTS_VOICE": "OFFHOOK_ELEVENLABS__VOICE",
    "LIVEKIT_URL": "OFFHOOK_LIVEKIT__URL",
    "LIVEKIT_API_KEY": "OFFHOOK_LIVEKIT__API_KEY",
    "LIVEKIT_API_SECRET": "OFFHOOK_LIVEKIT__API_SECRET",
}
_MODELS = (
    (re.compile(r"tts-|gpt-"), "OFFHOOK_OPENAI__TTS_MODEL"),
    (re.compile(r"aura"), "OFFHOOK_DEEPGRAM__TTS_MODEL"),
    (re.compile(r"sonic"), "OFFHOOK_CARTESIA__TTS_MODEL"),
)
_OPENAI_VOICES = frozenset(
    {"alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage"}
    | {"shimmer", "verse"}
)
_PAIRS = re.compile(r"\s*[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*\s*[=:]")


_MAP = 'a voice, or a map of languages to voices like {"ar": "…", "en": "…"} or ar=…,en=…'


def own_names(name: str, value: str) -> list[tuple[str, str]]:
    """Offhook's names and values for what an environment name says; none for names that are not ours.

    `TTS_MODEL` and `TTS_VOICE` were used with several vendors: the value tells which. A map of languages to
    voices, as JSON or as `ar=…,en=…`, sets each language's voice. Raises ValueError.
    """
    upper = name.upper()
    if upper.startswith(PREFIX):
        return [(upper, value)]
    canonical = VENDOR_NAMES.get(name, "")
    if not canonical:
        return []
    if name == "TTS_MODEL":
        canonical = next((own for pattern, own in _MODELS if pattern.match(value)), canonical)
    elif name == "TTS_VOICE":
        if voices := voice_map(value):
            return [
                (f"OFFHOOK_SPEECH__LANGUAGES__{code.upper()}__VOICE", voice) for code, voice in voices.items()
            ]
        if value in _OPENAI_VOICES:
            canonical = "OFFHOOK_OPENAI__TTS_VOICE"
    return [(canonical, value)]


def voice_map(value: str) -> dict[str, str]:
    """Voices by language from `{"ar": "…"}` or `ar=…,en=…`; nothing when the value is a single voice."""
    if value.lstrip().startswith("{"):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(voice, str) for voice in found.values()):
            raise ValueError(_MAP)
        return {str(code): voice for code, voice in found.items()}
    parts = [part for part in value.split(",") if part.strip()]
    if not parts or not all(_PAIRS.match(part) for part in parts):
        return {}
    pairs = [re.split(r"[=:]", part, maxsplit=1) for part in parts]
    return {code.strip().replace("_", "-"): voice.strip() for code, voice in pairs}
