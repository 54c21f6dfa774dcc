"""The local coach on labelled calls (see calls/README.md for what they are worth): floors."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from coach_stage import OPERATOR, CoachStage

ROOT = Path(__file__).parents[3]


def _bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_coach", ROOT / "bench" / "coach.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_coach"] = module
    spec.loader.exec_module(module)
    return module


bench = _bench()


@pytest.mark.parametrize(
    ("name", "heard", "intents", "levels"),
    [
        ("fresh", False, 0.55, 0.6),
        ("second", False, 0.8, 0.65),
        ("heldout", False, 0.9, 0.88),
        ("heldout", True, 0.8, 0.8),
        ("scam_en", False, 0.75, 0.75),
        ("scam_ar", False, 0.8, 0.75),
        ("service", False, 0.75, 0.85),
    ],
)
def test_accuracy(name: str, heard: bool, intents: float, levels: float) -> None:
    turns = bench.labelled(name)
    scores = bench.measure(turns, heard, False).values()
    total = sum(score.turns for score in scores)
    assert total == len(turns)
    assert sum(score.intent for score in scores) / total >= intents
    assert sum(score.level for score in scores) / total >= levels


def test_enough_turns_are_held_out_in_both_languages() -> None:
    for name, least in (("fresh", 60), ("heldout", 60)):
        turns = bench.labelled(name)
        assert len(turns) >= least
        assert min(sum(t.language == code for t in turns) for code in ("en", "ar")) >= 25


def test_no_labelled_turn_is_a_training_sentence() -> None:
    folder = ROOT / "bench" / "coach_training"
    known = {
        bench.plain(line) for path in folder.glob("*.txt") for line in path.read_text("utf-8").splitlines()
    }
    said = {bench.plain(turn.text) for name in bench.FILES for turn in bench.labelled(name)}
    assert not {text for text in known & said if len(text.split()) > 2}


@pytest.mark.looptime
@pytest.mark.parametrize(("name", "language"), [("scam_en", "en"), ("scam_ar", "ar")])
async def test_the_cards_of_a_scripted_scam_call(name: str, language: str) -> None:
    """The operator's lines are said too. Cards are in the call's language, and one is critical."""
    stage = CoachStage()
    path = Path(__file__).parent / "calls" / f"{name}.tsv"
    for line in path.read_text("utf-8").splitlines()[1:]:
        cells = line.split("\t")
        if cells[0] == "O":
            await stage.say(cells[3], OPERATOR, wait=2)
        else:
            await stage.say(cells[3], wait=3)
    levels = [card.warning_level.value for card in stage.cards]
    assert {card.language for card in stage.cards} == {language}
    assert levels[0] in ("none", "low")
    assert "critical" in levels
    assert stage.coach.risk.is_scam
    assert all(
        card.supersedes == before.id for before, card in zip(stage.cards, stage.cards[1:], strict=False)
    )
    assert len(stage.cards) >= 8
    first = next(card for card in stage.cards if card.warning_level == "critical")
    assert first.priority == 3
