"""Nothing that takes long is made on the tick of a call with humans: it is there before they come."""

from __future__ import annotations

import pytest
from tests.call.human_stage import staged

from offhook.audio import resample
from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.resample import Resampler, prepare
from offhook.call.hold_audio import LINE_RATES, hold_pattern
from offhook.call.prewarm import prewarm
from offhook.call.sound_bridge import SoundBridge
from offhook.foundation.people import LOCAL_PERSON, Stance


class Watch:
    """Notes what is made, and what of it on a tick."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        self.on_tick: list[str] = []
        self._ticking = False
        for kind in (resample._Filter, Resampler):
            self._follow(monkeypatch, kind)
        tick = SoundBridge.tick

        def watched(bridge: SoundBridge, now_ms: float) -> None:
            self._ticking = True
            tick(bridge, now_ms)
            self._ticking = False

        monkeypatch.setattr(SoundBridge, "tick", watched)

    def _follow(self, monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
        make = kind.__init__  # type: ignore[misc]

        def made(it: object, source: int, target: int) -> None:
            (self.on_tick if self._ticking else self.made).append(f"{kind.__name__} {source} {target}")
            make(it, source, target)

        monkeypatch.setattr(kind, "__init__", made)


async def everything(stage_of, agent):  # type: ignore[no-untyped-def]
    """Two humans with other rates than the telephone's, in every mode, each heard by all."""
    humans = await staged(stage_of, agent)
    operator = humans.join("operator", Stance.LISTEN, AudioFormat(Encoding.PCM16, 48_000))
    other = humans.join("supervisor", Stance.JOIN, AudioFormat(Encoding.PCM16, 24_000))
    for stance in (Stance.COACH, Stance.JOIN, Stance.TAKE_OVER):
        humans.bridge.set_stance(operator.seat, stance)
        await humans.run(200)
    humans.bridge.say("One moment please.", LOCAL_PERSON)
    await humans.run(200)
    humans.bridge.hold(True)
    await humans.run(200)
    humans.bridge.hold(False)
    await humans.run(200)
    assert len(operator.channel.heard) > 10
    assert len(other.channel.heard) > 10


async def test_the_tick_makes_nothing(stage_of, agent, monkeypatch):  # type: ignore[no-untyped-def]
    resample._filter.cache_clear()
    hold_pattern.cache_clear()
    watch = Watch(monkeypatch)
    prewarm()
    filters = [one for one in watch.made if one.startswith("_Filter")]
    assert len(filters) == len(LINE_RATES) * (len(LINE_RATES) - 1)
    watch.made.clear()
    patterns = hold_pattern.cache_info().misses
    await everything(stage_of, agent)
    assert watch.on_tick == []
    assert any(one == "Resampler 48000 8000" for one in watch.made), "it was made as the human sat down"
    assert not [one for one in watch.made if one.startswith("_Filter")]
    assert hold_pattern.cache_info().misses == patterns


async def test_the_watch_sees_what_is_made_on_a_tick(stage_of, agent, monkeypatch):  # type: ignore[no-untyped-def]
    resample._filter.cache_clear()
    monkeypatch.setattr(SoundBridge, "_prepare", lambda bridge: None)
    watch = Watch(monkeypatch)
    await everything(stage_of, agent)
    assert "_Filter 48000 8000" in watch.on_tick


def test_all_pairs_of_rates_are_prepared() -> None:
    resample._filter.cache_clear()
    prepare((8_000, 16_000, 16_000))
    assert resample._filter.cache_info().currsize == 2
