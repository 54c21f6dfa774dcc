"""Which voices there are: the house's own, others made once when wanted, a vendor's library that may fail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest
from tests.desk.ear_stage import MoodyTts

from offhook.desk.voices import RETRY_S, VoiceBook
from offhook.foundation.errors import MissingExtraError, NotFoundError, ProviderError
from offhook.speech.fallback import Lineup, Place
from offhook.speech.fallback_tts import FallbackTts
from offhook.speech.library import Clone, Voice

pytestmark = pytest.mark.looptime
LOCAL = frozenset({"hibari", "espeak", "scripted"})


class LibraryTts(MoodyTts):
    """Has voices at its vendor."""

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__(name="elevenlabs")
        self.delay = delay
        self.error = ""
        self.listings = 0
        self.cloned: list[Voice] = []

    def voices(self) -> list[str]:
        return ["mine"]

    async def library(self) -> Sequence[Voice]:
        self.listings += 1
        await asyncio.sleep(self.delay)
        if self.error:
            raise ProviderError(self.name, self.error)
        return [Voice("v1", "George", "en", self.name), *self.cloned]

    async def clone(self, name: str, samples: Sequence[tuple[str, bytes]], description: str) -> Clone:
        self.cloned.append(Voice("c1", name, "", self.name, cloned=True))
        return Clone("c1", requires_verification=True)


def none(name: str) -> MoodyTts:
    raise AssertionError(name)


async def listed(book: VoiceBook) -> dict[str, list[str]]:
    return {owner.name: [voice.id for voice in voices] for owner, voices in await book.owners()}


async def test_the_houses_voices_are_not_made_twice() -> None:
    one, two = MoodyTts(name="hibari", languages=("en",)), LibraryTts()
    house = FallbackTts(Lineup([Place("tts", "hibari", one), Place("tts", "elevenlabs", two)]))
    book = VoiceBook(house, ["hibari", "elevenlabs"], LOCAL, none)
    assert await book.tts() is house
    assert await book.tts("hibari") is one
    assert await book.tts("elevenlabs") is two
    found = {owner.name: (owner, voices) for owner, voices in await book.owners()}
    assert [voice.language for voice in found["hibari"][1]] == ["en", "en"]
    assert (found["hibari"][0].local, found["hibari"][0].clones) == (True, False)
    assert (found["elevenlabs"][0].local, found["elevenlabs"][0].clones) == (False, True)
    assert [voice.id for voice in found["elevenlabs"][1]] == ["mine", "v1"]


async def test_another_provider_is_made_once_in_a_thread() -> None:
    made: list[tuple[str, bool]] = []

    def make(name: str) -> MoodyTts:
        made.append((name, threading.current_thread() is threading.main_thread()))
        return MoodyTts(name=name)

    book = VoiceBook(MoodyTts(name="hibari"), ["hibari", "openai"], LOCAL, make)
    first, second = await asyncio.gather(book.tts("openai"), book.tts("openai"))
    assert first is second
    assert made == [("openai", False)]
    with pytest.raises(NotFoundError, match="there are hibari, openai"):
        await book.tts("cartesia")
    await book.close()


async def test_without_a_voice_of_ours_the_house_is_made_when_wanted() -> None:
    book = VoiceBook(None, ["hibari"], LOCAL, none, lambda: MoodyTts(name="hibari"))
    house = await book.tts()
    assert await book.tts() is house
    assert await book.tts("hibari") is house
    with pytest.raises(ProviderError, match="no voice provider"):
        await VoiceBook(None, [], LOCAL, none).tts()


async def test_a_provider_that_cannot_be_made_is_listed_with_the_reason_and_tried_again_later() -> None:
    tries = 0

    def make(name: str) -> MoodyTts:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise MissingExtraError("espeak", "espeak")
        return MoodyTts(name=name, languages=("ar", "en"))

    book = VoiceBook(MoodyTts(name="hibari"), ["espeak"], LOCAL, make)
    for _ in range(2):
        found = {owner.name: owner.reason for owner, _ in await book.owners()}
        assert "pip install" in found["espeak"]
        assert found["hibari"] == ""
    assert tries == 1
    await asyncio.sleep(RETRY_S + 0.1)
    assert (await listed(book))["espeak"] == ["plain", "other"]
    await book.close()


@pytest.mark.parametrize(("delay", "error", "reason"), [(0, "is busy", "is busy"), (9, "", "in time")])
async def test_a_library_that_fails_leaves_what_is_known(delay: float, error: str, reason: str) -> None:
    tts = LibraryTts(delay)
    tts.error = error
    book = VoiceBook(tts, [], LOCAL, none)
    ((owner, voices),) = await book.owners()
    assert reason in owner.reason
    assert [voice.id for voice in voices] == ["mine"]


async def test_a_library_is_asked_twice_a_minute_and_after_a_clone() -> None:
    tts = LibraryTts()
    book = VoiceBook(tts, [], LOCAL, none)
    for _ in range(5):
        await book.owners()
    assert tts.listings == 1
    made = await book.clone("elevenlabs", "Nadia", [("a.wav", b"x")], "")
    assert made == Clone("c1", requires_verification=True)
    assert await listed(book) == {"elevenlabs": ["mine", "v1", "c1"]}
    assert book.knows("elevenlabs", "c1")
    assert not book.knows("elevenlabs", "c2")
    assert tts.listings == 2
    await asyncio.sleep(31)
    await book.owners()
    assert tts.listings == 3


@pytest.mark.parametrize("provider", ["hibari", "", "nobody"])
async def test_who_cannot_clone_says_so(provider: str) -> None:
    book = VoiceBook(MoodyTts(name="hibari"), [], LOCAL, none)
    with pytest.raises(NotFoundError):
        await book.clone(provider, "Nadia", [("a.wav", b"x")], "")


@pytest.mark.parametrize(
    ("languages", "voice", "language"),
    [
        (("en",), "heart", "en"),
        (("en", "ar"), "ar", "ar"),
        (("en", "ar"), "en-us", "en-us"),
        (("en", "ar"), "Big Voice", ""),
        ((), "aura-2-thalia-en", "en"),
        ((), "marin", ""),
    ],
)
async def test_what_a_voice_speaks(languages: tuple[str, ...], voice: str, language: str) -> None:
    tts = MoodyTts(languages=languages)
    tts.voices = lambda: [voice]  # type: ignore[method-assign]
    ((_, (found,)),) = await VoiceBook(tts, [], LOCAL, none).owners()
    assert found.language == language
