"""Voices in an order: the same sentence on the next one, nothing twice, probes, each with its own voice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import pytest
import structlog
from tests.speech.speech_vendors import SOUND, Step, Voice

from offhook.audio.frame import PHONE
from offhook.foundation.errors import BrokenOffError, DeniedError, ProviderError, UnfitError
from offhook.speech.breaker import COOL_S, Health, State
from offhook.speech.fallback import PROBE_S, Lineup, Place
from offhook.speech.fallback_tts import NEXT_AUDIO_S, Casting, FallbackTts

pytestmark = pytest.mark.looptime
REFUSED = ProviderError("one", "cannot be reached")


def voices(
    *vendors: Voice, orders: Mapping[str, Sequence[str]] | None = None, casting: Casting | None = None
) -> FallbackTts:
    places = [Place("tts", vendor.name, vendor, vendor.probe) for vendor in vendors]
    return FallbackTts(Lineup(places, orders), casting)


async def heard(tts: FallbackTts, text: str = "Hello.", voice: str = "", language: str = "en") -> float:
    """Seconds until the first sound."""
    began = asyncio.get_running_loop().time()
    first = None
    async for piece in tts.speak(text, voice, language, PHONE):
        assert piece
        if first is None:
            first = asyncio.get_running_loop().time() - began
    assert first is not None
    return first


def states(tts: FallbackTts) -> list[State]:
    return [place.health.state for place in tts.lineup.places]


async def test_the_first_speaks_while_it_is_well() -> None:
    one, two = Voice("one"), Voice("two")
    tts = voices(one, two)
    assert await heard(tts) == 0
    assert (len(one.said), len(two.said)) == (1, 0)
    await tts.close()
    assert one.closed
    assert two.closed


@pytest.mark.parametrize(
    ("script", "at_most"),
    [
        ([REFUSED], 0.0),
        ([1.0, REFUSED], 1.0),
        ([60.0], 1.5),
        ([b""], 0.0),
        ([DeniedError("one")], 0.0),
        ([UnfitError("one", "has no such voice")], 0.0),
    ],
)
async def test_the_same_sentence_by_the_next_voice(script: Sequence[Step], at_most: float) -> None:
    one, two = Voice("one", *script), Voice("two")
    tts = voices(one, two)
    assert await heard(tts, "The same sentence.") == pytest.approx(at_most)
    assert [text for text, _, _ in two.said] == ["The same sentence."]
    assert tts.lineup.places[1].health == Health("tts", "two", State.UP, 0, 1)
    await tts.close()


async def test_what_was_heard_is_kept_and_said_by_none_again() -> None:
    one, two = Voice("one", SOUND, ProviderError("one", "lost the connection")), Voice("two")
    tts = voices(one, two)
    pieces = tts.speak("First sentence.", "", "en", PHONE)
    assert await anext(pieces) == SOUND
    with pytest.raises(BrokenOffError, match="one: broke off"):
        await anext(pieces)
    assert two.said == []
    await heard(tts, "Next sentence.")
    assert [text for text, _, _ in two.said] == ["Next sentence."]
    await tts.close()


async def test_a_voice_that_stops_in_the_middle_is_given_up() -> None:
    tts = voices(Voice("one", SOUND, 60.0), Voice("two"))
    began = asyncio.get_running_loop().time()
    with pytest.raises(BrokenOffError):
        await heard(tts)
    assert asyncio.get_running_loop().time() - began == pytest.approx(NEXT_AUDIO_S)
    await tts.close()


async def test_a_slow_listener_is_no_slow_voice() -> None:
    tts = voices(Voice("one"), Voice("two"))
    async for _ in tts.speak("Hello.", "", "en", PHONE):
        await asyncio.sleep(30)
    assert states(tts) == [State.UP, State.UP]
    await tts.close()


async def test_the_last_voice_is_given_more_time() -> None:
    tts = voices(Voice("one", 60.0), Voice("two", 2.0, SOUND))
    assert await heard(tts) == pytest.approx(3.5)
    await tts.close()


async def test_one_that_failed_is_asked_after_the_others_for_a_while() -> None:
    one, two = Voice("one", REFUSED), Voice("two")
    tts = voices(one, two)
    await heard(tts)
    await heard(tts)
    assert len(one.said) == 1
    one.script = (SOUND,)
    await asyncio.sleep(COOL_S)
    await heard(tts)
    assert (len(one.said), states(tts)) == (2, [State.UP, State.UP])
    await tts.close()


async def test_down_after_three_and_used_again_once_it_is_well() -> None:
    one, two = Voice("one", 0.5, REFUSED), Voice("two")
    one.ill = ProviderError("one", "cannot be reached")
    tts = voices(one, two)
    await asyncio.gather(heard(tts), heard(tts), heard(tts))
    assert states(tts) == [State.DOWN, State.UP]
    await asyncio.sleep(COOL_S)
    await heard(tts)
    assert len(one.said) == 3
    await asyncio.sleep(PROBE_S)
    assert (states(tts)[0], one.probes) == (State.DOWN, 1)
    one.ill, one.script = None, (SOUND,)
    await asyncio.sleep(PROBE_S)
    assert states(tts)[0] is State.TRYING
    await heard(tts)
    assert (states(tts), len(one.said)) == ([State.UP, State.UP], 4)
    probes = one.probes
    await asyncio.sleep(10 * PROBE_S)
    assert one.probes == probes  # a provider that is well is left in peace
    await tts.close()


async def test_on_trial_one_request_at_a_time() -> None:
    one, two = Voice("one", REFUSED), Voice("two")
    tts = voices(one, two)
    for _ in range(3):
        await heard(tts)
        await asyncio.sleep(COOL_S)
    await asyncio.sleep(PROBE_S)
    one.script = (1.0, SOUND)
    assert states(tts)[0] is State.TRYING
    assert sorted(await asyncio.gather(heard(tts), heard(tts), heard(tts))) == [0, 0, 1.0]
    assert len(one.said) == 4
    await tts.close()


async def test_a_refused_key_is_not_tried_again_until_a_probe_is_let_in() -> None:
    one, two = Voice("one", DeniedError("one")), Voice("two")
    one.ill = DeniedError("one")
    tts = voices(one, two)
    await heard(tts)
    assert states(tts) == [State.REFUSED, State.UP]
    for _ in range(5):
        await asyncio.sleep(PROBE_S)
        await heard(tts)
    assert (len(one.said), states(tts)[0]) == (1, State.REFUSED)
    one.ill, one.script = None, (SOUND,)
    await asyncio.sleep(PROBE_S)
    await heard(tts)
    assert (len(one.said), states(tts)[0]) == (2, State.UP)
    await tts.close()


async def test_when_all_are_down_it_says_so_at_once_and_tries_now_and_then() -> None:
    one, two = Voice("one", REFUSED), Voice("two", REFUSED)
    tts = voices(one, two)
    for _ in range(6):
        with pytest.raises(ProviderError):
            await heard(tts)
    assert states(tts) == [State.DOWN, State.DOWN]
    asked = len(one.said) + len(two.said)
    with pytest.raises(ProviderError, match="every provider of it is down"):
        await heard(tts)
    assert len(one.said) + len(two.said) == asked
    one.script = (SOUND,)
    await asyncio.sleep(2.0)
    assert await heard(tts) == 0
    await tts.close()


async def test_an_order_per_language() -> None:
    english, arabic = Voice("english"), Voice("arabic")
    tts = voices(english, arabic, orders={"": ["english"], "ar": ["arabic", "english"]})
    await heard(tts, language="en")
    await heard(tts, language="ar")
    await heard(tts, language="ar-EG")
    assert ([x[2] for x in english.said], [x[2] for x in arabic.said]) == (["en"], ["ar", "ar-EG"])
    await tts.close()


async def test_a_language_that_a_voice_does_not_know_is_no_fault_of_its_english() -> None:
    one, two = Voice("one", UnfitError("one", "speaks English only")), Voice("two")
    tts = voices(one, two)
    for _ in range(5):
        await heard(tts, language="ar")
    assert len(one.said) == 3
    one.script = (SOUND,)
    await heard(tts, language="en")
    assert len(one.said) == 4
    await tts.close()


def cast(*wanted: tuple[str, str]) -> Iterable[tuple[str, str, str]]:
    return [("Hello.", voice, language) for voice, language in wanted]


async def test_each_speaks_with_a_voice_that_it_has() -> None:
    one, two = Voice("one", voices=["heart", "kate"]), Voice("two", voices=["marin", "cedar"])
    casting = Casting({"ar": {"two": "cedar"}, "": {"two": "marin"}}, {"id-of-vendor-two": "two"})
    tts = voices(one, two, orders={"": ["one", "two"], "ar": ["two"]}, casting=casting)
    for voice, language in (("kate", "en"), ("marin", "en"), ("", "en"), ("kate", "ar"), ("marin", "ar")):
        await heard(tts, voice=voice, language=language)
    await heard(tts, voice="id-of-vendor-two", language="ar")
    assert one.said == cast(("kate", "en"), ("", "en"), ("", "en"))
    assert two.said == cast(("cedar", "ar"), ("marin", "ar"), ("id-of-vendor-two", "ar"))
    assert set(tts.voices()) == {"heart", "kate", "marin", "cedar", "id-of-vendor-two"}
    await tts.close()


async def test_a_voice_that_a_fallback_lacks_is_told_once() -> None:
    tts = voices(Voice("one", REFUSED, voices=["kate"]), Voice("two", voices=["marin"]))
    with structlog.testing.capture_logs() as told:
        for _ in range(3):
            await heard(tts, voice="kate")
    lacks = [record for record in told if "does not have the voice" in record["event"]]
    assert [(record["provider"], record["voice"]) for record in lacks] == [("two", "kate")]
    await tts.close()


async def test_what_operators_are_told() -> None:
    tts = voices(Voice("one", DeniedError("one")), Voice("two", REFUSED))
    with structlog.testing.capture_logs() as told:
        for _ in range(3):
            with pytest.raises(ProviderError):
                await heard(tts)
    levels = [(record["log_level"], record["provider"]) for record in told]
    assert levels == [("error", "one"), ("warning", "two"), ("warning", "two"), ("error", "two")]
    await tts.close()


async def test_leaving_early_lets_go_of_the_voice_and_is_no_failure() -> None:
    one = Voice("one", SOUND, 60.0)
    tts = voices(one, Voice("two"))
    pieces = tts.speak("Hello.", "", "en", PHONE)
    assert await anext(pieces) == SOUND
    await pieces.aclose()
    assert states(tts) == [State.UP, State.UP]
    await tts.close()
