"""Makes the recognizers, language models and voices that the settings name, and puts them in their order."""

from __future__ import annotations

from offhook.settings import Settings
from offhook.settings.keys import llm_endpoint
from offhook.speech.base import Llm, Stt, Tts

LLAMA_MODEL = "qwen2.5-1.5b"


def make_stt(settings: Settings) -> Stt:
    """The recognizer of the house. Raises ProviderError."""
    return _stt(settings.speech.stt[0], settings)


def make_tts(settings: Settings) -> Tts:
    """The voice of the house. Raises ProviderError."""
    return _tts(settings.speech.tts[0], settings)


def make_llm(settings: Settings) -> Llm:
    """The language model of the house. Raises ProviderError."""
    return _llm(settings.speech.llm[0], settings)


def _stt(name: str, settings: Settings) -> Stt:
    if name == "scripted":
        from offhook.speech.stt.fake import ScriptedStt

        return ScriptedStt()
    from offhook.speech.stt.moonshine import MoonshineStt

    return MoonshineStt()


def _tts(name: str, settings: Settings) -> Tts:
    if name == "scripted":
        from offhook.speech.tts.fake import ScriptedTts

        return ScriptedTts()
    from offhook.speech.tts.hibari import HibariTts

    return HibariTts()


def _llm(name: str, settings: Settings) -> Llm:
    if name == "scripted":
        from offhook.speech.llm.fake import ScriptedLlm

        return ScriptedLlm()
    if name != "receptionist":
        return _model(name, settings)
    from offhook.speech.llm.receptionist import Receptionist

    fallback = settings.speech.llm_fallback
    return Receptionist(fallback=_model(fallback, settings) if fallback else None)


def _model(name: str, settings: Settings) -> Llm:
    if name == "openai":
        from offhook.speech.llm.openai import OpenAi

        address, model, key = llm_endpoint(settings)
        return OpenAi(address, model, key, first_token_seconds=settings.speech.llm_first_token_seconds)
    from offhook.speech.llm.llama import Llama
    from offhook.speech.models import model_file

    return Llama(model_file(settings.speech.llm_model or LLAMA_MODEL))
