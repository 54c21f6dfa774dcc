"""[sentiment], [[alerts]] and [paging]: what may be set, and what is told of what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.center.alerts.rules import Cause, Who
from offhook.foundation.desk_events import Emotion, WarningLevel
from offhook.foundation.errors import SettingsError
from offhook.settings import Settings
from offhook.settings.sources import load

GOOD = """
[sentiment]
voice = false

[paging]
url = "https://pager.example.com/hook"
secret = "sixteen characters"

[[alerts]]
name = "Legal"
when = "keyword"
words = ["lawyer", "محامي"]
said_by = "any"
level = "critical"
agents = ["default"]
cooldown_seconds = 30
page = true

[[alerts]]
name = "Upset"
when = "emotion"
emotions = ["agitated", "unhappy"]
"""


def read(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "offhook.toml").write_text(text, "utf-8")
    return load({}, tmp_path, {})


def test_rules_as_they_are_set(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)
    legal, upset = (alert.rule() for alert in settings.alerts)
    assert not settings.sentiment.voice
    assert (legal.cause, legal.words, legal.who) == (Cause.KEYWORD, ("lawyer", "محامي"), Who.ANY)
    assert (legal.level, legal.cooldown_s, legal.page) == (WarningLevel.CRITICAL, 30, True)
    assert legal.serves("default", "")
    assert not legal.serves("sales", "")
    assert upset.emotions == {Emotion.AGITATED, Emotion.UNHAPPY}


def test_a_house_has_rules_that_page_nobody_and_may_have_none(tmp_path: Path) -> None:
    assert not any(alert.page for alert in read(tmp_path, "").alerts)
    assert read(tmp_path, "alerts = []").alerts == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[alerts]]\nname = "a"\nwhen = "keyword"', "at least one phrase"),
        ('[[alerts]]\nname = "a"\nwhen = "mood"', "one of"),
        ('[[alerts]]\nname = ""\nwhen = "score"', "a name of at most"),
        ('[[alerts]]\nname = "a"\nwhen = "score"\nbelow = -2', "-1"),
        ('[[alerts]]\nname = "a"\nwhen = "score"\nagents = ["x"]', "one of default"),
        ('[[alerts]]\nname = "a"\nwhen = "score"\nqueues = ["x"]', "one of the queues"),
        ('[[alerts]]\nname = "a"\nwhen = "score"\n[[alerts]]\nname = "a"\nwhen = "score"', "no other alert"),
        ('[[alerts]]\nname = "a"\nwhen = "keyword"\nwords = ["  "]', "phrases of 1 to 100"),
        ('[[alerts]]\nname = "a"\nwhen = "score"\nsound = true', "is no setting"),
        ('[paging]\nurl = "https://x.example"', "at least 16 characters"),
        ('[paging]\nurl = "ftp://x.example"', "https://"),
        ("[sentiment]\nenabled = 3", "true or false"),
    ],
)
def test_what_may_not_be(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        read(tmp_path, text)
