"""When OpenAI shuts its speech models down, as far as it has said. Names and dates only.

https://developers.openai.com/api/docs/deprecations, read in November 2026.
"""

from __future__ import annotations

from datetime import date

_JANUARY_6, _JANUARY_20, _FEBRUARY_26 = date(2027, 1, 6), date(2027, 1, 20), date(2027, 2, 26)
RETIREMENTS: dict[str, date] = {
    "gpt-realtime": _JANUARY_20,
    "gpt-realtime-2025-08-28": _JANUARY_20,
    "gpt-realtime-mini": _JANUARY_20,
    "gpt-realtime-mini-2025-10-06": _JANUARY_20,
    "gpt-realtime-mini-2025-12-15": _JANUARY_20,
    "gpt-audio-mini": _JANUARY_20,
    "gpt-audio-mini-2025-10-06": _JANUARY_20,
    "gpt-audio-mini-2025-12-15": _JANUARY_20,
    "whisper-1": _FEBRUARY_26,
    "gpt-4o-transcribe": _FEBRUARY_26,
    "gpt-4o-transcribe-diarize": _FEBRUARY_26,
    "gpt-4o-mini-transcribe": _FEBRUARY_26,
    "gpt-4o-mini-transcribe-2025-12-15": _FEBRUARY_26,
    "tts-1": _JANUARY_6,
    "tts-1-hd": _JANUARY_6,
    "gpt-4o-mini-tts": _JANUARY_6,
    "gpt-4o-mini-tts-2025-12-15": _JANUARY_6,
}


def retirement(model: str) -> date | None:
    """The day on which a model is shut down, or None where none was announced."""
    return RETIREMENTS.get(model)
