"""The summary of a briefing by the model that thinks for the coach."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from offhook.desk.coach.llm_brain import LlmBrain
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import Entry, LegKind, TranscriptFinal
from offhook.foundation.tools import ToolCall
from offhook.providers.warm import summary_of
from offhook.speech.llm.forms import Form


class Filler:
    name = "model"

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.forms: list[Form] = []

    async def fill(self, form: Form, seconds: float) -> ToolCall:
        self.forms.append(form)
        return ToolCall(form.spec.name, self.given)

    async def close(self) -> None: ...


def call() -> Any:
    line = TranscriptFinal(LegKind.CALLER, 1, "My order never came", 0, 900)
    timeline = SimpleNamespace(recent=[Entry("call_x", 1, 0, line)])
    return SimpleNamespace(session=SimpleNamespace(timeline=timeline))


async def test_the_model_is_shown_what_was_said() -> None:
    filler = Filler({"text": "They  miss\nan order."})
    summary = summary_of(SimpleNamespace(brain=LlmBrain(filler)))  # type: ignore[arg-type]
    assert summary is not None
    assert await summary(call(), "en") == "They miss an order."
    assert filler.forms[0].text == "caller: My order never came"


async def test_what_does_not_fit_is_no_summary() -> None:
    summary = summary_of(SimpleNamespace(brain=LlmBrain(Filler({"text": ""}))))  # type: ignore[arg-type]
    assert summary is not None
    with pytest.raises(ProviderError):
        await summary(call(), "en")


def test_without_a_model_there_is_none() -> None:
    assert summary_of(None) is None
    assert summary_of(SimpleNamespace(brain=None)) is None  # type: ignore[arg-type]
