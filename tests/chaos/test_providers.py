"""Providers that fail in the middle of calls: what the caller hears, and the longest silence.

The silences are the table of docs/providers.md: a test that measures another figure fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.chaos.provider_scene import TRANSFERRING, WORDS, Scene
from tests.speech.speech_vendors import Ear, Model, Voice

from offhook.audio.frame import PHONE
from offhook.foundation.errors import BusyError, DeniedError, ProviderError
from offhook.foundation.events import EndReason, LegKind, ProviderFailed
from offhook.speech.base import ToolCall
from offhook.speech.breaker import State
from offhook.speech.fallback import PROBE_S

pytestmark = pytest.mark.looptime
LOST = ProviderError("one", "lost the connection")
PAGE = Path(__file__).parent.parent.parent / "docs" / "providers.md"
ANSWER = "We open at nine and close at six on weekdays. "
SECOND = bytes([0x55]) * PHONE.size(1_000)


def published() -> dict[str, float]:
    rows = re.findall(
        r"^\| ([^|]+?) \| [^|]+ \| ([\d.]+) s \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {name: float(seconds) for name, seconds in rows}


@pytest.fixture
def silent() -> Callable[[str, float], None]:
    """Holds a measured silence against the page's."""

    def check(row: str, seconds: float) -> None:
        assert published().get(row) == pytest.approx(seconds, abs=0.03), f"| {row} | … | {seconds:.2f} s |"

    return check


Silent = Callable[[str, float], None]


def ear(name: str = "one") -> Ear:
    return Ear(name, WORDS)


async def test_nothing_fails(silent: Silent) -> None:
    async with Scene(models=[Model("one", ANSWER)], voices=[Voice("one", SECOND, SECOND)]) as scene:
        await scene.begin()
        silent("nothing fails", await scene.ask())
        assert scene.said(LegKind.CALLER) == WORDS
        assert scene.said(LegKind.AGENT) == [ANSWER.strip()]


@pytest.mark.parametrize(
    ("row", "script"),
    [
        ("voice: connection refused", [LOST]),
        ("voice: connects to nothing", [1.0, LOST]),
        ("voice: refuses the key", [DeniedError("one")]),
        ("voice: over its limit, retried", [0.6, BusyError("one", "is over its rate limit")]),
        ("voice: silent", [60.0]),
    ],
)
async def test_a_voice_fails_before_its_first_sound(
    row: str, script: list[float | ProviderError], silent: Silent
) -> None:
    one, two = Voice("one", SECOND), Voice("two", SECOND)
    async with Scene(models=[Model("one", ANSWER)], voices=[one, two]) as scene:
        await scene.begin()
        one.script = script
        silent(row, await scene.ask())
        assert [text for text, _, _ in two.said] == [ANSWER.strip()]
        assert scene.said(LegKind.AGENT) == [ANSWER.strip()]


async def test_a_voice_dies_in_the_middle_of_a_sentence(silent: Silent) -> None:
    """Half a second of the first sentence was heard; the second sentence is the next voice's."""
    one, two = Voice("one", SECOND), Voice("two", SECOND)
    async with Scene(models=[Model("one", ANSWER, "Is there anything else? ")], voices=[one, two]) as scene:
        await scene.begin()
        one.script = (SECOND[:4000], 0.2, LOST)
        silent("voice: dies in mid-sentence", await scene.ask())
        assert [text for text, _, _ in two.said] == ["Is there anything else?"]
        (said,) = scene.said(LegKind.AGENT)
        assert said.endswith("Is there anything else?")
        assert ANSWER.strip() not in said, "only what was heard of the first sentence is kept"
        assert said.startswith("We open")


async def test_a_voice_dies_in_a_sentence_that_nobody_has_heard_yet(silent: Silent) -> None:
    """The first sentence is still being heard when the second one's voice breaks off: it is said again."""
    one, two = Voice("one", SECOND), Voice("two", SECOND)
    async with Scene(models=[Model("one", ANSWER, "Is there anything else? ")], voices=[one, two]) as scene:
        await scene.begin()
        one.scripts = [(SECOND * 4,), (SECOND[:4000], 0.3, LOST)]
        silent("voice: dies in a sentence not heard yet", await scene.ask())
        assert [text for text, _, _ in two.said] == ["Is there anything else?"]
        assert scene.said(LegKind.AGENT) == [ANSWER + "Is there anything else?"]


async def test_every_voice_is_down(silent: Silent) -> None:
    """The prepared apology needs no voice."""
    one, two = Voice("one", SECOND), Voice("two", SECOND)
    async with Scene(models=[Model("one", ANSWER)], voices=[one, two]) as scene:
        await scene.begin()
        one.script, two.script = (LOST,), (60.0,)
        silent("every voice is down", await scene.ask())
        assert scene.said(LegKind.AGENT) == [scene.agent.apology]
        assert scene.events(ProviderFailed)


@pytest.mark.parametrize(
    ("row", "error", "delay"),
    [
        ("recognizer: dies in mid-utterance", LOST, 0.0),
        ("recognizer: refuses the key", DeniedError("one"), 0.0),
        ("recognizer: gives no words", None, 60.0),
    ],
)
async def test_a_recognizer_fails(
    row: str, error: ProviderError | None, delay: float, silent: Silent
) -> None:
    one, two = ear("one"), ear("two")
    two.delay = 0.3
    async with Scene(ears=[one, two], models=[Model("one", ANSWER)], voices=[Voice("one", SECOND)]) as scene:
        await scene.begin()
        one.error, one.delay = error, delay
        silent(row, await scene.ask())
        assert scene.said(LegKind.CALLER) == WORDS
        assert scene.said(LegKind.AGENT) == [ANSWER.strip()]


async def test_every_recognizer_is_down(silent: Silent) -> None:
    one, two = ear("one"), ear("two")
    async with Scene(ears=[one, two], voices=[Voice("one", SECOND)]) as scene:
        await scene.begin()
        one.error = two.error = LOST
        silent("every recognizer is down", await scene.ask())
        assert scene.said(LegKind.AGENT) == [scene.agent.apology]


@pytest.mark.parametrize(
    ("row", "parts", "said"),
    [
        ("model: connection refused", [LOST], ANSWER.strip()),
        ("model: refuses the key", [DeniedError("one")], ANSWER.strip()),
        ("model: no first word", [60.0], "One moment, please. " + ANSWER.strip()),
        ("model: dies before a clause", ["We ", 0.3, LOST], ANSWER.strip()),
        ("model: dies after a clause", ["I see. ", 0.3, LOST], "I see. " + ANSWER.strip()),
        ("model: stops after a clause", ["I see. ", 60.0], "I see. One moment, please. " + ANSWER.strip()),
    ],
)
async def test_a_model_fails(row: str, parts: list[object], said: str, silent: Silent) -> None:
    models = [Model("one", *parts), Model("two", 0.4, ANSWER)]
    async with Scene(models=models, voices=[Voice("one", SECOND)]) as scene:
        await scene.begin()
        silent(row, await scene.ask())
        assert scene.said(LegKind.AGENT) == [said]


async def test_a_single_slow_model_is_waited_for(silent: Silent) -> None:
    async with Scene(models=[Model("one", 4.0, ANSWER)], voices=[Voice("one", SECOND)]) as scene:
        await scene.begin()
        silent("model: alone and slow (4 s)", await scene.ask())
        assert scene.said(LegKind.AGENT) == ["One moment, please. " + ANSWER.strip()]


async def test_every_model_is_down(silent: Silent) -> None:
    models = [Model("one", 60.0), Model("two", 60.0)]
    async with Scene(models=models, voices=[Voice("one", SECOND)]) as scene:
        await scene.begin()
        silent("every model is silent", await scene.ask())
        assert scene.said(LegKind.AGENT) == [f"{scene.agent.one_moment} {scene.agent.apology}"]
        assert scene.line.hung_up is None


async def test_every_model_is_down_and_the_caller_can_be_transferred(silent: Silent) -> None:
    models = [Model("one", LOST), Model("two", LOST)]
    async with Scene(models=models, voices=[Voice("one", SECOND)], agent=TRANSFERRING) as scene:
        await scene.begin()
        silent("every model is down, transferred", await scene.ask())
        assert scene.line.hung_up is EndReason.TRANSFERRED
        assert scene.transferred == ["+15550199"]
        assert scene.said(LegKind.AGENT) == [scene.agent.apology]


async def test_a_call_ends_by_its_own_rule_when_nothing_ever_works() -> None:
    async with Scene(models=[Model("one", LOST)], voices=[Voice("one", SECOND)]) as scene:
        await scene.begin()
        for _ in range(3):
            await scene.ask(wait_ms=4_000)
        assert scene.line.hung_up is EndReason.FAILED
        assert scene.said(LegKind.AGENT)[-1] == scene.agent.goodbye


async def test_down_for_some_calls_and_used_again_in_the_same_one() -> None:
    one, two = Voice("one", SECOND), Voice("two", SECOND)
    async with Scene(models=[Model("one", ANSWER)], voices=[one, two]) as scene:
        await scene.begin()
        lines = len(one.said)
        one.script, one.ill = (LOST,), LOST
        for _ in range(4):
            await scene.ask(wait_ms=7_000)
        assert (scene.tts.lineup.places[0].health.state, len(one.said) - lines) == (State.DOWN, 3)
        one.script, one.ill = (SECOND,), None
        await scene.ask(wait_ms=int(2 * PROBE_S * 1000))
        await scene.ask()
        assert (scene.tts.lineup.places[0].health.state, len(one.said) - lines) == (State.UP, 4)


async def test_a_flood_of_words_is_not_spoken() -> None:
    model = Model("one", *["A sentence of some length, again. "] * 20_000)
    async with Scene(models=[model], voices=[Voice("one", SECOND)]) as scene:
        await scene.begin()
        await scene.ask(wait_ms=40_000)
        (said,) = scene.said(LegKind.AGENT)
        assert 500 < len(said) <= 600


async def test_a_flood_of_tool_calls_ends_with_the_caller_being_heard_again() -> None:
    calls = [ToolCall("no_such_tool", id=f"call-{number}") for number in range(1_000)]
    async with Scene(models=[Model("one", *calls)], voices=[Voice("one", SECOND)]) as scene:
        await scene.begin()
        await scene.ask()
        asked = len(scene.llm.lineup.places[0].provider.requests)
        assert asked <= 6
        await scene.ask()
        assert len(scene.llm.lineup.places[0].provider.requests) > asked
