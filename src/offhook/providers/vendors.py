"""Makes one provider by its name in the settings. Imports only what is named; knows nothing of orders.

`alone` tells a provider that no other one can serve in its stead: it is given more time for retries.
"""

from __future__ import annotations

from offhook.settings import Settings
from offhook.settings.keys import llm_endpoint, plain
from offhook.speech.base import Llm, Stt, Tts
from offhook.speech.fallback_llm import LAST_FIRST_TOKEN_S

LLAMA_MODEL = "qwen2.5-1.5b"
RETRY_S, RETRY_ALONE_S = 0.6, 2.0
CONNECT_S = 1.0
ANSWER_S = 1.5


def stt(name: str, settings: Settings, alone: bool) -> Stt:
    """A recognizer. Raises ProviderError: for a missing extra, missing weights, a key that cannot be one."""
    if name == "moonshine":
        from offhook.speech.stt.moonshine import MoonshineStt

        return MoonshineStt()
    if name == "scripted":
        from offhook.speech.stt.fake import ScriptedStt

        return ScriptedStt()
    if name == "whisper":
        from offhook.speech.stt.whisper import WhisperStt

        own = settings.whisper
        return WhisperStt(
            own.weights,
            device=own.device,
            compute_type=own.compute_type,
            threads=own.threads,
            hotwords=settings.speech.keyterms,
        )
    return _vendor_stt(name, settings, alone)


def _vendor_stt(name: str, settings: Settings, alone: bool) -> Stt:
    from offhook.speech.stt.dialect import Limits

    limits = Limits() if alone else Limits(connect=CONNECT_S, answer=ANSWER_S)
    terms = settings.speech.keyterms
    if name == "openai":
        from offhook.speech.stt.openai import OpenAiStt

        openai = settings.openai
        return OpenAiStt(
            plain(openai.api_key),
            url=openai.url,
            model=openai.stt_model,
            prompt=openai.stt_prompt,
            keywords=terms,
            limits=limits,
        )
    if name == "elevenlabs":
        from offhook.speech.stt.scribe import ScribeStt

        eleven = settings.elevenlabs
        return ScribeStt(
            plain(eleven.api_key), url=eleven.url, model=eleven.stt_model, keyterms=terms, limits=limits
        )
    deepgram = settings.deepgram
    key, url, model = plain(deepgram.api_key), deepgram.url, deepgram.stt_model
    if model.startswith("flux"):
        from offhook.speech.stt.deepgram_flux import DeepgramFluxStt

        return DeepgramFluxStt(
            key,
            url=url,
            model=model,
            keyterms=terms,
            threshold=deepgram.eot_threshold,
            eager_threshold=deepgram.eager_eot_threshold,
            timeout_ms=deepgram.eot_timeout_ms,
            limits=limits,
        )
    from offhook.speech.stt.deepgram import DeepgramStt

    return DeepgramStt(key, url=url, model=model, keyterms=terms, limits=limits)


def tts(name: str, settings: Settings, alone: bool) -> Tts:
    """A voice. Raises ProviderError."""
    if name == "hibari":
        from offhook.speech.tts.hibari import HibariTts

        return HibariTts()
    if name == "espeak":
        from offhook.speech.tts.espeak import EspeakTts

        return EspeakTts()
    if name == "scripted":
        from offhook.speech.tts.fake import ScriptedTts

        return ScriptedTts()
    if name == "elevenlabs":
        return _elevenlabs_tts(settings, alone)
    from offhook.speech.tts.http import Deadlines

    deadlines = Deadlines(connect=CONNECT_S, retry=RETRY_ALONE_S if alone else RETRY_S)
    if name == "openai":
        from offhook.speech.tts.openai import OpenAiTts

        openai = settings.openai
        return OpenAiTts(
            plain(openai.api_key),
            url=openai.url,
            model=openai.tts_model,
            voice=openai.tts_voice,
            deadlines=deadlines,
        )
    if name == "deepgram":
        from offhook.speech.tts.deepgram import DeepgramTts

        deepgram = settings.deepgram
        return DeepgramTts(
            plain(deepgram.api_key), url=deepgram.url, model=deepgram.tts_model, deadlines=deadlines
        )
    from offhook.speech.tts.cartesia import CartesiaTts

    own = settings.cartesia
    return CartesiaTts(
        plain(own.api_key),
        url=own.url,
        version=own.version,
        model=own.tts_model,
        voice=own.voice,
        deadlines=deadlines,
    )


def _elevenlabs_tts(settings: Settings, alone: bool) -> Tts:
    from offhook.speech.tts.http import Deadlines

    own, key = settings.elevenlabs, plain(settings.elevenlabs.api_key)
    deadlines = Deadlines(connect=CONNECT_S, retry=RETRY_ALONE_S if alone else RETRY_S)
    if own.streaming == "websocket":
        from offhook.speech.tts.elevenlabs_socket import ElevenLabsSocketTts

        return ElevenLabsSocketTts(key, url=own.url, model=own.model, voice=own.voice, deadlines=deadlines)
    from offhook.speech.tts.elevenlabs import ElevenLabsTts

    return ElevenLabsTts(key, url=own.url, model=own.model, voice=own.voice, deadlines=deadlines)


def llm(name: str, settings: Settings, alone: bool) -> Llm:
    """A language model. Raises ProviderError."""
    if name == "scripted":
        from offhook.speech.llm.fake import ScriptedLlm

        return ScriptedLlm()
    if name == "receptionist":
        from offhook.speech.llm.receptionist import Receptionist

        fallback = settings.speech.llm_fallback
        return Receptionist(fallback=llm(fallback, settings, alone=False) if fallback else None)
    if name == "llama":
        from offhook.speech.llm.llama import Llama
        from offhook.speech.models import model_file

        return Llama(model_file(settings.speech.llm_model or LLAMA_MODEL))
    retry_s = RETRY_ALONE_S if alone else RETRY_S
    if name == "anthropic":
        from offhook.speech.llm.anthropic import Anthropic

        own = settings.anthropic
        return Anthropic(
            plain(own.api_key),
            url=own.url,
            model=own.llm_model,
            first_token_seconds=LAST_FIRST_TOKEN_S,
            retry_seconds=retry_s,
        )
    from offhook.speech.llm.openai import OpenAi

    address, model, key = llm_endpoint(settings)
    return OpenAi(address, model, key, first_token_seconds=LAST_FIRST_TOKEN_S, retry_seconds=retry_s)
