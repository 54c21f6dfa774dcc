"""`offhook` with stand-ins where no local model knows Arabic: ears and a clerk that follow a script.

Voices, voice activity, turns, language per turn and the console are the real ones. Each call has its own
script: what its caller says, utterance by utterance. What is spoken is printed, with voice and language.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from offhook.cli.main import main
from offhook.providers import vendors
from offhook.settings import Settings
from offhook.speech.base import ChatRequest, Llm, Stt, TextDelta, Transcript, Tts
from offhook.speech.stt.fake import ScriptedRecognizer, ScriptedStt

ENGLISH = ("Hello, are you open on Friday?", "Thank you, that is all.")
ARABIC = ("مرحبا، هل أنتم مفتوحون يوم الجمعة؟", "شكرا جزيلا، مع السلامة")
SWITCHES = (
    "Hello, are you open on Friday?",
    "هل يمكنني الحجز يوم الجمعة الساعة 10:30؟",
    "OK",
    "And how much is it?",
)
SCRIPTS = (ENGLISH, ARABIC, SWITCHES)
ANSWERS = {
    "en": ("Yes, on Friday we are open from 9 AM to 5:30 PM.", "You are welcome. A haircut is 35 dollars."),
    "ar": ("نعم، يوم الجمعة نحن مفتوحون من 09:00 إلى 17:30.", "تم، موعدك يوم الجمعة الساعة 10:30."),
}


class Ears(ScriptedStt):
    """The next call's script begins with the first utterance that a recognizer hears."""

    calls = 0

    def open(self, format, language, on_partial=None, languages=()):  # type: ignore[no-untyped-def]
        return Ear(self, language, on_partial)


class Ear(ScriptedRecognizer):
    script: tuple[str, ...] = ()

    def begin(self) -> None:
        if not self.script:
            self.script = SCRIPTS[Ears.calls % len(SCRIPTS)]
            Ears.calls += 1
        super().begin()

    @property
    def _text(self) -> str:
        return self.script[min(max(self._utterance, 0), len(self.script) - 1)]

    async def finish(self) -> Transcript:
        return Transcript(self._text if self.pushed else "")


class Clerk:
    """Answers in the language that it is told."""

    name = "clerk"

    async def prepare(self, agents: object) -> None: ...

    def open(self, agent: object) -> Clerk:
        return Clerk()

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta]:
        number = self._given.get(request.language, 0)
        self._given[request.language] = number + 1
        await asyncio.sleep(0.05)
        answers = ANSWERS[request.language]
        yield TextDelta(answers[number % len(answers)])

    async def close(self) -> None: ...


def _stt(name: str, settings: Settings, alone: bool) -> Stt:
    return Ears()


def _llm(name: str, settings: Settings, alone: bool) -> Llm:
    return Clerk()


def _tts(name: str, settings: Settings, alone: bool, made=vendors.tts) -> Tts:  # type: ignore[no-untyped-def]
    voice = made(name, settings, alone)
    speak = voice.speak

    def told(text, wanted, language, format):  # type: ignore[no-untyped-def]
        print(f"spoken: {name} {wanted or '-'} {language} {text}", flush=True)
        return speak(text, wanted, language, format)

    voice.speak = told
    return voice  # type: ignore[no-any-return]


if __name__ == "__main__":
    vendors.stt, vendors.llm, vendors.tts = _stt, _llm, _tts
    main()
