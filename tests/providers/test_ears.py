"""The recognizer of what humans say on calls: the cascade's, or one of its own, or none."""

from __future__ import annotations

from typing import Any

from offhook.engines.cascade import CascadeFactory
from offhook.foundation.errors import MissingModelError
from offhook.providers import Board, make_ears, make_engines
from offhook.settings import Settings


class Clock:
    def now(self) -> float:
        return 0.0


def test_a_cascades_recognizer_serves_humans_too() -> None:
    settings = Settings(engine="scripted")
    engines = make_engines(settings, Clock())  # type: ignore[arg-type]
    factory = engines["scripted"]
    assert isinstance(factory, CascadeFactory)
    assert make_ears(settings, engines, Board()) == (factory.stt, False)


def test_where_only_vendors_answer_there_is_one_of_its_own_or_none(monkeypatch: Any) -> None:
    made = object()
    monkeypatch.setattr("offhook.providers.make_stt", lambda settings, board: made)
    assert make_ears(Settings(), {}, Board()) == (made, True)

    def missing(settings: Settings, board: Board) -> Any:
        raise MissingModelError("moonshine", "download it")

    monkeypatch.setattr("offhook.providers.make_stt", missing)
    assert make_ears(Settings(), {}, Board()) == (None, False)
