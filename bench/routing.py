"""How long a routing decision takes: tables of 5 to 500 rules of every kind, none of which fits."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table as Shown

from offhook.center.conditions import Situation
from offhook.settings import Settings
from offhook.settings.routing import Routing

RULE_KINDS = (
    {"number": ["+1555{n:04}", "+1666*"]},
    {"caller": ["/^\\+44{n}/"]},
    {"language": ["ar"], "open": "office"},
    {"intent": ["billing", "cancel"], "channel": ["phone"]},
    {"days": ["friday"], "after": "20:00", "before": "02:00", "timezone": "Asia/Riyadh"},
    {"open": "office", "number": ["+14*"]},
    {"variables": {"tier": ["gold"]}, "returning": True},
    {"sentiment_below": -0.5},
    {"load_above": 0.9},
    {"closed": "office"},
)


def settings(count: int) -> Routing:
    """`count` rules of every kind in turn; none fits the situation that is tried."""
    rules = []
    for n in range(count):
        asks = {
            name: [text.replace("{n:04}", f"{n:04}").replace("{n}", str(n)) for text in value]
            if name in ("number", "caller")
            else value
            for name, value in RULE_KINDS[n % len(RULE_KINDS)].items()
        }
        rules.append({"name": f"rule {n}", "to": "voicemail", **asks})
    office = {"timezone": "Asia/Riyadh", "hours": {"everyday": "always"}, "holidays": ["12-25", "2026-01-01"]}
    return Settings(routing={"calendars": {"office": office}, "rules": rules}).routing  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    rounds = parser.parse_args().rounds
    at = datetime(2026, 11, 23, 18, tzinfo=UTC)
    door = Situation(at, "+13330100", "+13330199", "phone", load=0.3, variables={"tier": "silver"})
    talk = Situation(
        at, "+13330100", "+13330199", "phone", "en", "booking", 0.1, True, 0.3, {"tier": "silver"}
    )
    shown = Shown("rules", "at the door p50 / p99 µs", "in mid-call p50 / p99 µs", box=None)
    for count in (5, 20, 50, 100, 500):
        table = settings(count).table()
        assert table.decide(door).rule == table.decide(talk).rule == ""
        cells = []
        for situation in (door, talk):
            times = sorted(timed(table.decide, situation) for _ in range(rounds))
            cells.append(f"{times[rounds // 2]:.0f} / {times[rounds * 99 // 100]:.0f}")
        shown.add_row(str(count), *cells)
    Console().print(shown)


def timed(decide: object, situation: Situation) -> float:
    began = time.perf_counter()
    decide(situation)  # type: ignore[operator]
    return (time.perf_counter() - began) * 1e6


if __name__ == "__main__":
    main()
