"""Words of both sides of a finished call, by the local recognizer. Offline; needs no server."""

from __future__ import annotations

from collections.abc import Sequence

from offhook.audio.frame import PHONE
from offhook.foundation.errors import ProviderError

_LEAST = PHONE.samples(100)


async def transcribe(sounds: Sequence[bytes]) -> tuple[list[str | None], str]:
    """The words of each µ-law sound, and an empty string; or only Nones, and why there are no words."""
    from offhook.speech.stt.moonshine import MoonshineStt

    words: list[str | None] = [None] * len(sounds)
    try:
        stt = MoonshineStt()
    except ProviderError as error:
        return words, error.reason
    try:
        recognizer = stt.open(PHONE, "en")
        for index, sound in enumerate(sounds):
            recognizer.begin()
            recognizer.push(sound)
            words[index] = (await recognizer.finish()).text if len(sound) >= _LEAST else ""
        await recognizer.close()
    except ProviderError as error:
        return words, error.reason
    finally:
        await stt.close()
    return words, ""
