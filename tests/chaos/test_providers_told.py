"""What a call's timeline says of providers that failed: also of those that another one made good for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.call.conftest import Line
from tests.chaos.provider_scene import WORDS, Scene
from tests.speech.speech_vendors import SOUND, Ear, Model, Voice

from offhook.audio.frame import PHONE
from offhook.channels.base import Arrival
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import ProviderFailed
from offhook.speech.fallback import PROBE_S

pytestmark = pytest.mark.looptime
SECOND = SOUND * 10
LOST = ProviderError("one", "lost the connection")
ABSORBED = ProviderFailed("one", LOST.reason, absorbed=True)


def scene() -> Scene:
    return Scene(
        ears=[Ear("one", WORDS), Ear("two", WORDS)],
        models=[Model("one", "We open at nine. "), Model("two", "We open at ten. ")],
        voices=[Voice("one", SECOND), Voice("two", SECOND)],
    )


def spoil_ear(scene: Scene) -> None:
    scene.stt.lineup.places[0].provider.error = LOST  # type: ignore[attr-defined]


def spoil_model(scene: Scene) -> None:
    scene.llm.lineup.places[0].provider.parts = (LOST,)  # type: ignore[attr-defined]


def spoil_voice(scene: Scene) -> None:
    scene.tts.lineup.places[0].provider.script = (LOST,)  # type: ignore[attr-defined]


def break_voice_off(scene: Scene) -> None:
    scene.tts.lineup.places[0].provider.script = (SECOND, 0.1, LOST)  # type: ignore[attr-defined]


@pytest.mark.parametrize("spoil", [spoil_ear, spoil_model, spoil_voice, break_voice_off])
async def test_a_failure_that_was_made_good_for_is_told_once_to_its_call(
    spoil: Callable[[Scene], None],
) -> None:
    async with scene() as stage:
        await stage.begin()
        other = Line()
        _, other.listener = stage.directory.arrive(other, Arrival(vendor_id="CA2"))
        await asyncio.sleep(2)
        spoil(stage)
        await stage.ask()
        assert stage.events(ProviderFailed) == [ABSORBED]
        assert not [entry for entry in other.entries if isinstance(entry.event, ProviderFailed)]


async def test_of_several_that_fail_the_last_one_was_not_made_good_for() -> None:
    async with scene() as stage:
        await stage.begin()
        spoil_voice(stage)
        stage.tts.lineup.places[1].provider.script = (ProviderError("two", "is silent"),)  # type: ignore[attr-defined]
        await stage.ask()
        assert stage.events(ProviderFailed) == [ABSORBED, ProviderFailed("two", "two: is silent")]


async def test_lines_get_their_own_voice_back_when_it_recovers() -> None:
    """The house starts while its first voice is down: the next speaks the lines until it is well again."""
    async with scene() as stage:
        one, two = (place.provider for place in stage.tts.lineup.places)
        assert isinstance(one, Voice)
        assert isinstance(two, Voice)
        one.script, one.ill, two.script = (LOST,), LOST, (SOUND * 5,)
        await stage.begin()

        def greeting() -> bytes:
            clauses = stage.factory.prepared(stage.agent, stage.agent.greeting, PHONE)
            assert clauses
            return b"".join(clause.audio for clause in clauses)

        assert greeting() == SOUND * 5
        one.script, one.ill = (SECOND,), None
        await asyncio.sleep(2 * PROBE_S)
        lines = len({text for text, _, _ in two.said})
        await stage.ask()
        assert greeting() == SECOND
        assert len(one.said) > lines, "each line was spoken again"
        asked = len(one.said)
        await stage.ask()
        assert len(one.said) == asked + 1, "once"


async def test_a_voice_that_fails_again_keeps_the_lines_that_there_are() -> None:
    async with scene() as stage:
        one, two = (place.provider for place in stage.tts.lineup.places)
        assert isinstance(one, Voice)
        assert isinstance(two, Voice)
        one.script, two.script = (LOST,), (SOUND * 5,)
        await stage.begin()
        one.scripts = [(SECOND,), (SECOND,)]  # the reply, and one line; then it is lost again
        await asyncio.sleep(2 * PROBE_S)
        await stage.ask()
        clauses = [stage.factory.prepared(stage.agent, text, PHONE) for text in ("Hello.", "Goodbye.")]
        assert all(clauses)
        sounds = {clause[0].audio for clause in clauses if clause}
        assert sounds <= {SECOND, SOUND * 5}
        assert SOUND * 5 in sounds
        assert len(stage.events(ProviderFailed)) == 0, "mending lines is no call's request"
