"""Measures the local coach on the labelled calls of tests/desk/coach/calls: intents, warnings, time.

Usage: python bench/coach.py [--wrong] [--heard]. `--wrong` lists what was told wrongly; `--heard` adds the
turns as a local recognizer may write them: lower case, no marks, some words lost, run together or misheard.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from offhook.desk.coach.advice import compose
from offhook.desk.coach.profile import SHIPPED
from offhook.desk.coach.reading import Reader
from offhook.desk.coach.risk import LEVELS, Risk, rank
from offhook.desk.coach.sense import Sense
from offhook.desk.coach.words import plain
from offhook.foundation.desk_events import WarningLevel

FOLDER = Path(__file__).parents[1] / "tests" / "desk" / "coach" / "calls"
FILES = ("second", "fresh", "heldout", "scam_en", "scam_ar", "service")
SENSE = Sense()
_MISHEARD = {
    "anydesk": "any disc",
    "teamviewer": "team fewer",
    "bitcoin": "bit coin",
    "apple": "a pull",
    "pin": "pen",
    "router": "rotor",
    "wire": "why are",
    "parcel": "partial",
    "their": "there",
    "you're": "your",
    "cashier": "cash here",
    "draw": "drawer",
    "invoice": "in voice",
    "quoted": "coated",
    "to": "two",
    "four": "for",
    "ة": "ه",
    "أ": "ا",
    "إ": "ا",
    "ى": "ي",
    "ظ": "ض",
    "ذ": "د",
}


@dataclass(frozen=True)
class Turn:
    call: str
    language: str
    profile: str
    intents: tuple[str, ...]
    levels: tuple[WarningLevel, ...]
    text: str


def labelled(name: str) -> list[Turn]:
    """The caller's turns of a file, in order."""
    turns, call, language, profile = [], "", "", ""
    for number, line in enumerate((FOLDER / f"{name}.tsv").read_text("utf-8").splitlines()):
        if line.startswith("##"):
            _, call, language, profile = line.split()
            continue
        cells = line.split("\t")
        if len(cells) == 5:
            language, profile, call = cells[0], cells[1], f"{name}-{number}"
            cells = ["C", *cells[2:]]
        if cells[0] == "C":
            levels = tuple(WarningLevel(level) for level in cells[2].split("|"))
            turns.append(Turn(call, language, profile, tuple(cells[1].split("|")), levels, cells[3]))
    return turns


def as_heard(text: str, chance: random.Random) -> str:
    """As a local recognizer may write it."""
    words = re.sub(r"[^\w\s']", " ", text.lower()).split()
    out = []
    for word in words:
        word = _MISHEARD.get(word, word)
        for letter in word:
            if letter in _MISHEARD and chance.random() < 0.7:
                word = word.replace(letter, _MISHEARD[letter])
        draw = chance.random()
        if draw < 0.05 and len(words) > 4:
            continue
        if draw < 0.08 and out:
            out[-1] += word
            continue
        out.append(word)
    return " ".join(out)


@dataclass
class Score:
    intent: int = 0
    level: int = 0
    near: int = 0
    turns: int = 0

    def line(self) -> str:
        n = self.turns or 1
        return (
            f"{self.turns:4d} turns  intent {100 * self.intent / n:5.1f} %"
            f"  level {100 * self.level / n:5.1f} %  within one {100 * self.near / n:5.1f} %"
        )


def measure(turns: list[Turn], heard: bool, wrong: bool) -> dict[str, Score]:
    readers = {name: Reader(profile, SENSE) for name, profile in SHIPPED.items()}
    risks: dict[str, Risk] = defaultdict(Risk)
    scores: dict[str, Score] = defaultdict(Score)
    chance = random.Random(1)
    for turn in turns:
        text = as_heard(turn.text, chance) if heard else turn.text
        reading = readers[turn.profile].read(text, risks[turn.call])
        risks[turn.call] = reading.risk
        score, level = scores[turn.language], reading.risk.level
        score.turns += 1
        score.intent += reading.intent.value in turn.intents
        score.level += level in turn.levels
        score.near += min(abs(rank(level) - rank(each)) for each in turn.levels) <= 1
        if wrong and (reading.intent.value not in turn.intents or level not in turn.levels):
            want = f"{'|'.join(turn.intents)} {'|'.join(turn.levels)}"
            print(f"  {text}\n    {want} -> {reading.intent.value} ({reading.confidence}) {level.value}")
    return scores


def timed(turns: list[Turn]) -> None:
    readers = {name: Reader(profile, SENSE) for name, profile in SHIPPED.items()}
    for label, clock in (("by the clock", time.perf_counter), ("of the processor", time.thread_time)):
        took = []
        for number, turn in enumerate(turns * 2):
            text = f"{turn.text} {number} {label}"  # no vector of it is remembered
            start = clock()
            reading = readers[turn.profile].read(text, Risk())
            compose(reading, SHIPPED[turn.profile].kind)
            took.append((turn.language, 1000 * (clock() - start)))
        for language in ("en", "ar"):
            own = [ms for code, ms in took[len(turns) :] if code == language]
            p95 = statistics.quantiles(own, n=20)[18]
            print(f"time per card {label}, {language}: p50 {statistics.median(own):.2f} ms, p95 {p95:.2f} ms")
    long = " ".join(turn.text for turn in turns)
    start = time.perf_counter()
    readers["support"].read(long, Risk())
    print(f"a turn of {len(plain(long))} characters: {1000 * (time.perf_counter() - start):.2f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--heard", action="store_true")
    options = parser.parse_args()
    every = []
    for heard in (False, True) if options.heard else (False,):
        total: dict[str, Score] = defaultdict(Score)
        print("as heard by a recognizer" if heard else "as written")
        for name in FILES:
            turns = labelled(name)
            every += turns
            for language, score in measure(turns, heard, options.wrong).items():
                print(f"  {name:8} {language}: {score.line()}")
                for each in (total[language], total["all"]):
                    for field in ("intent", "level", "near", "turns"):
                        setattr(each, field, getattr(each, field) + getattr(score, field))
        for language, score in sorted(total.items()):
            print(f"  all      {language}: {score.line()}")
    timed(every)
    assert len(LEVELS) == 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
