"""What would happen to a call, asked over HTTP and at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.center.test_routing import HOUSE
from tests.web.conftest import empty_database, make_stage, quick_passwords, stage  # noqa: F401
from tests.web.staff import Browser, staffed
from typer.testing import CliRunner, Result

from offhook.cli import main
from offhook.foundation.errors import OffhookError
from offhook.settings import load

CALL = {"number": "+15550100", "at": "2026-11-23 10:00", "timezone": "Asia/Riyadh"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "offhook.toml").write_text(HOUSE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def http(folder: Path, make_stage: Callable[..., Any]) -> Any:  # noqa: F811
    settings = load({}, folder, {})
    stage = make_stage(routing=settings.routing, queues=settings.queues, agents=settings.agents)  # noqa: F811
    return stage.client()


async def test_the_rules_are_shown_in_their_order(http: Any) -> None:
    async with http:
        answer = (await http.get("/api/routing")).json()
    assert answer["default"] == "agent:front"
    assert [rule["name"] for rule in answer["rules"]][:3] == ["blocked", "full house", "fax line"]
    arabic = next(rule for rule in answer["rules"] if rule["name"] == "arabic")
    assert arabic == {
        "name": "arabic",
        "asks": "the language is ar",
        "target": "agent:arabic",
        "live": True,
        "verdict": "",
        "why": "",
    }


async def test_a_call_is_tried(http: Any) -> None:
    async with http:
        answer = (await http.post("/api/routing/try", json=CALL)).json()
        late = (await http.post("/api/routing/try", json={**CALL, "at": "2026-11-23T18:30:00Z"})).json()
    assert (answer["target"], answer["rule"]) == ("agent:sales", "sales line")
    assert answer["why"] == "the number called is +1555*; office is open"
    assert answer["at"] == "2026-11-23T10:00:00+03:00"
    verdicts = {rule["name"]: rule["verdict"] for rule in answer["rules"]}
    assert (verdicts["arabic"], verdicts["sales line"], verdicts["night"]) == ("no", "fits", "not reached")
    assert (late["target"], late["rule"]) == ("agent:front", "")
    why = {rule["name"]: rule["why"] for rule in late["rules"]}
    assert why["sales line"] == "office is closed on Mon 21:30 (Asia/Riyadh)"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"at": "tomorrow"}, 400),
        ({"at": "0001-01-01 00:00"}, 400),
        ({"at": "9999-12-31 23:59"}, 400),
        ({"timezone": "Mars/Olympus"}, 400),
        ({"timezone": "../../etc/passwd"}, 400),
        ({"channel": "pigeon"}, 422),
        ({"sentiment": 3}, 422),
        ({"load": -1}, 422),
        ({"number": "1" * 300}, 422),
        ({"variables": {"a": 1}}, 422),
        ({"variables": {str(n): "" for n in range(60)}}, 422),
        ({"target": "agent:sales"}, 422),
    ],
)
async def test_what_cannot_be_tried(http: Any, wrong: dict[str, Any], status: int) -> None:
    async with http:
        answer = await http.post("/api/routing/try", json=wrong)
    assert answer.status_code == status, answer.text


async def test_who_may_try(make_stage: Callable[..., Any], quick_passwords: None) -> None:  # noqa: F811
    house = await staffed(make_stage())
    for name, status in (("sara", 403), ("omar", 200), ("boss", 200)):
        async with Browser(house, name) as http:
            assert (await http.post("/api/routing/try", json={})).status_code == status


# At the command line.


def run(*words: str) -> Result:
    return CliRunner().invoke(main.app, ["route", *words])


def test_a_call_is_tried_at_the_command_line(folder: Path) -> None:
    result = run(
        "--number", "+15550100", "--at", "2026-11-23 21:00", "--timezone", "Asia/Riyadh", "--language", "ar"
    )
    assert result.exit_code == 0, result.exception
    assert 'agent:arabic (rule "arabic")' in result.output
    assert "On Mon 2026-11-23 21:00 +03: " in result.output
    assert "the intent is not known" in result.output
    assert "not reached" in result.output
    assert "the caller is +15550666 or /^\\+1900/" in result.output


def test_all_that_can_be_said_of_a_call(folder: Path) -> None:
    words = ["--variable", "tier=gold", "--returning", "--load", "0.5", "--at", "2026-11-23 10:00+03:00"]
    assert 'queue:vip (rule "vip")' in run(*words).output
    words = ["--intent", "billing", "--sentiment", "-0.2", "--channel", "browser", "--caller", "+15550199"]
    assert 'agent:billing (rule "bills")' in run(*words, "--agent", "sales").output


def test_no_rule_and_no_rules(folder: Path) -> None:
    assert "agent:front (no rule fits, the default)" in run("--at", "2026-11-23 10:00+03:00").output
    (folder / "offhook.toml").unlink()
    assert "agent:default (no rule fits, the default)" in run().output
    assert "agent:other" in run("--agent", "other").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "tomorrow"], "a time like"),
        (["--timezone", "Mars"], "time zone"),
        (["--channel", "pigeon"], "--channel is"),
        (["--variable", "tier"], "NAME=VALUE"),
    ],
)
def test_wrong_words(folder: Path, words: list[str], said: str) -> None:
    error = run(*words).exception
    assert isinstance(error, OffhookError)
    assert said in error.reason


def test_figures_out_of_bounds(folder: Path) -> None:
    assert run("--sentiment", "7").exit_code == 2
    assert run("--load", "-1").exit_code == 2
