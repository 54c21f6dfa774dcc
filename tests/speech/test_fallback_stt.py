"""Recognizers in an order: what was said is said again to the next one, and no word is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.speech.speech_vendors import Ear

from offhook.audio.frame import PHONE
from offhook.foundation.errors import DeniedError, ProviderError, UnfitError
from offhook.speech.breaker import COOL_S, State
from offhook.speech.fallback import PROBE_S, Lineup, Place
from offhook.speech.fallback_stt import FINISH_S, REPLAY_MS, FallbackRecognizer, FallbackStt
from offhook.speech.joined import joined

pytestmark = pytest.mark.looptime
WORDS = [f"word{number}" for number in range(256)]
LOST = ProviderError("one", "lost the connection")
SECOND = PHONE.size(1_000)


def ears(
    *vendors: Ear, orders: Mapping[str, Sequence[str]] | None = None
) -> tuple[FallbackStt, FallbackRecognizer, list[str]]:
    """The provider, a leg's recognizer, and the words so far that it told."""
    stt = FallbackStt(Lineup([Place("stt", ear.name, ear, ear.probe) for ear in vendors], orders))
    partials: list[str] = []
    return stt, stt.open(PHONE, "en", partials.append), partials


async def closed(stt: FallbackStt, recognizer: FallbackRecognizer) -> None:
    await recognizer.close()
    await stt.close()


def speech(first: int, count: int, bytes_each: int = 1) -> bytes:
    return b"".join(bytes([word]) * bytes_each for word in range(first, first + count))


def text(first: int, count: int) -> str:
    return " ".join(WORDS[first : first + count])


async def test_the_first_hears_while_it_is_well() -> None:
    one, two = Ear("one", WORDS), Ear("two", WORDS)
    stt, recognizer, partials = ears(one, two)
    recognizer.begin()
    recognizer.push(speech(0, 3))
    assert (await recognizer.finish()).text == text(0, 3)
    recognizer.push(speech(3, 2))
    assert (await recognizer.finish()).text == text(0, 5)  # the pause was not the end
    assert (partials, two.opened) == ([text(0, 3), text(0, 5)], [])
    await closed(stt, recognizer)
    assert one.opened[0].closed


@pytest.mark.parametrize("error", [LOST, DeniedError("one"), UnfitError("one", "no such model")])
async def test_an_utterance_is_said_again_to_the_next(error: ProviderError) -> None:
    one, two = Ear("one", WORDS), Ear("two", WORDS)
    stt, recognizer, partials = ears(one, two)
    recognizer.begin()
    recognizer.push(speech(0, 3))
    one.error = error
    recognizer.push(speech(3, 2))
    began = asyncio.get_running_loop().time()
    assert (await recognizer.finish()).text == text(0, 5)
    assert asyncio.get_running_loop().time() == began
    recognizer.push(speech(5, 1))
    assert (await recognizer.finish()).text == text(0, 6)
    assert partials[-1] == text(0, 6)
    await closed(stt, recognizer)


async def test_one_that_gives_no_words_is_given_up() -> None:
    one, two = Ear("one", WORDS), Ear("two", WORDS)
    one.delay, two.delay = 60.0, 0.3
    stt, recognizer, _ = ears(one, two)
    recognizer.begin()
    recognizer.push(speech(0, 5))
    began = asyncio.get_running_loop().time()
    assert (await recognizer.finish()).text == text(0, 5)
    assert asyncio.get_running_loop().time() - began == pytest.approx(FINISH_S + 0.3)
    await closed(stt, recognizer)


async def test_of_a_long_utterance_the_last_ten_seconds_are_said_again_and_nothing_is_lost() -> None:
    """Thirty seconds, a word each; the first provider dies after 25 of them."""
    one, two = Ear("one", WORDS), Ear("two", WORDS)
    stt, recognizer, _ = ears(one, two)
    recognizer.begin()
    for word in range(25):
        recognizer.push(speech(word, 1, SECOND))
    one.error = LOST
    for word in range(25, 30):
        recognizer.push(speech(word, 1, SECOND))
    assert (await recognizer.finish()).text == text(0, 30)
    assert PHONE.ms(len(two.opened[0].audio)) <= REPLAY_MS
    recognizer.push(speech(30, 1, SECOND))
    assert (await recognizer.finish()).text == text(0, 31)
    await closed(stt, recognizer)


async def test_the_next_utterance_goes_to_the_one_that_heard_and_later_to_the_first_again() -> None:
    one, two = Ear("one", WORDS), Ear("two", WORDS)
    stt, recognizer, _ = ears(one, two)
    one.error = LOST
    for _ in range(2):
        recognizer.begin()
        recognizer.push(speech(0, 2))
        assert (await recognizer.finish()).text == text(0, 2)
    assert (len(one.opened), len(two.opened)) == (1, 1)
    one.error = None
    await asyncio.sleep(COOL_S)
    recognizer.begin()
    recognizer.push(speech(0, 2))
    assert (await recognizer.finish()).text == text(0, 2)
    assert (len(one.opened), two.opened[0].closed) == (2, True)
    await closed(stt, recognizer)


async def test_down_after_three_and_used_again_once_a_probe_reached_it() -> None:
    one, two = Ear("one", WORDS), Ear("two", WORDS)
    one.error = one.ill = LOST
    stt, recognizer, _ = ears(one, two)

    async def utterance() -> None:
        recognizer.begin()
        recognizer.push(speech(0, 2))
        assert (await recognizer.finish()).text == text(0, 2)

    for _ in range(3):
        await utterance()
        await asyncio.sleep(COOL_S)
    health = stt.lineup.places[0].health
    assert (health.state, health.failures) == (State.DOWN, 3)
    await asyncio.sleep(3 * PROBE_S)
    await utterance()
    assert (len(one.opened), stt.lineup.places[1].health.rescues) == (3, 4)
    one.error = one.ill = None
    await asyncio.sleep(PROBE_S)
    await utterance()
    assert stt.lineup.places[0].health.state is State.UP
    await closed(stt, recognizer)


async def test_when_none_is_left_it_says_so_and_hears_again_later() -> None:
    one, two = Ear("one", WORDS), Ear("two", WORDS)
    one.error, two.error = LOST, ProviderError("two", "is over its rate limit")
    stt, recognizer, _ = ears(one, two)
    recognizer.begin()
    recognizer.push(speech(0, 2))
    with pytest.raises(ProviderError, match="two: is over"):
        await recognizer.finish()
    two.error = None
    recognizer.begin()
    recognizer.push(speech(2, 2))
    assert (await recognizer.finish()).text == text(2, 2)
    await closed(stt, recognizer)


async def test_a_single_one_is_asked_again_for_the_next_utterance() -> None:
    one = Ear("one", WORDS)
    stt, recognizer, _ = ears(one)
    for failure in (LOST, None):
        one.error = failure
        recognizer.begin()
        recognizer.push(speech(0, 2))
        if failure is None:
            assert (await recognizer.finish()).text == text(0, 2)
        else:
            with pytest.raises(ProviderError):
                await recognizer.finish()
    await closed(stt, recognizer)


async def test_an_utterance_that_is_dropped_while_it_fails_over() -> None:
    one, two = Ear("one", WORDS), Ear("two", WORDS)
    one.delay, one.error = 1.0, LOST
    stt, recognizer, _ = ears(one, two)
    recognizer.begin()
    recognizer.push(speech(0, 2))
    finishing = asyncio.create_task(recognizer.finish())
    await asyncio.sleep(0.5)
    recognizer.drop()
    assert (await finishing).text == ""
    assert two.opened == []
    recognizer.begin()
    one.error = None
    recognizer.push(speech(5, 1))
    assert (await recognizer.finish()).text == text(5, 1)
    await closed(stt, recognizer)


async def test_one_that_does_not_know_the_language_is_left_out_of_the_leg() -> None:
    one, two = Ear("one", WORDS, deaf_to=["en"]), Ear("two", WORDS)
    stt, recognizer, _ = ears(one, two)
    for _ in range(5):
        recognizer.begin()
        recognizer.push(speech(0, 2))
        assert (await recognizer.finish()).text == text(0, 2)
    assert (len(two.opened), stt.lineup.places[0].health.failures) == (1, 0)
    await closed(stt, recognizer)


async def test_a_language_that_none_knows_is_refused_when_the_call_begins() -> None:
    stt = FallbackStt(Lineup([Place("stt", "one", Ear("one", WORDS, deaf_to=["ar"]))]))
    with pytest.raises(UnfitError):
        stt.open(PHONE, "ar")
    await stt.close()


async def test_an_order_per_language() -> None:
    one, two = Ear("one", WORDS), Ear("two", WORDS)
    stt, recognizer, _ = ears(one, two, orders={"": ["one"], "ar": ["two", "one"]})
    arabic = stt.open(PHONE, "ar")
    arabic.begin()
    assert (len(one.opened), len(two.opened), two.opened[0].begun) == (1, 1, 1)
    await arabic.close()
    await closed(stt, recognizer)


async def test_a_caller_of_two_languages_is_heard_by_one_that_knows_both() -> None:
    one, two, three = Ear("one", WORDS), Ear("two", WORDS), Ear("three", WORDS, deaf_to=["ar"])
    orders = {"": ["three", "one", "two"], "ar": ["two", "one"]}
    stt, recognizer, _ = ears(one, two, three, orders=orders)
    assert [len(ear.opened) for ear in (one, two, three)] == [0, 0, 1]
    both = stt.open(PHONE, "", languages=["en", "ar"])
    assert [len(ear.opened) for ear in (one, two, three)] == [1, 0, 1]
    await both.close()
    await closed(stt, recognizer)


async def test_a_recognizer_of_the_second_language_alone_is_asked_where_the_firsts_do_not_know_both() -> None:
    """English on this machine, Arabic by a vendor: the settings of docs/languages.md."""
    local, vendor = Ear("local", WORDS, deaf_to=["ar"]), Ear("vendor", WORDS)
    stt, recognizer, _ = ears(local, vendor, orders={"": ["local"], "ar": ["vendor"]})
    both = stt.open(PHONE, "", languages=["en", "ar"])
    both.begin()
    both.push(speech(0, 2))
    assert (await both.finish()).text == text(0, 2)
    assert (len(vendor.opened), vendor.opened[0].begun) == (1, 1)
    await both.close()
    await closed(stt, recognizer)


@pytest.mark.parametrize(
    ("earlier", "later", "both"),
    [
        ("", "one two", "one two"),
        ("one two", "", "one two"),
        ("one two three four", "three four five", "one two three four five"),
        ("I need a haircut on Monday,", "on Monday at ten.", "I need a haircut on Monday at ten."),
        ("my name is Jon Smith", "Smyth and I call about", "my name is Jon Smith Smyth and I call about"),
        ("one", "one", "one"),
        ("well one two three", "one two three", "well one two three"),
        ("one two three", "oh well one two three four", "oh well one two three four"),
    ],
)
def test_two_transcripts_of_overlapping_sound(earlier: str, later: str, both: str) -> None:
    assert joined(earlier, later) == both


@given(st.lists(st.integers(), unique=True, min_size=4, max_size=40), st.data())
def test_joined_loses_no_word_and_doubles_none(numbers: list[int], data: st.DataObject) -> None:
    words = [str(number) for number in numbers]
    overlap = data.draw(st.integers(2, len(words) - 2))
    start = data.draw(st.integers(0, len(words) - overlap))
    end = start + overlap
    assert joined(" ".join(words[:end]), " ".join(words[start:])) == " ".join(words)
