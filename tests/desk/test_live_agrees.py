"""One protocol of the desk: what is read and said, what roles judge, the page, the console, the examples."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from tests.desk.desk_stage import DeskStage, staged

from offhook.desk.place import _NAMES, name_of
from offhook.desk.roles import COMMANDS
from offhook.foundation.desk_events import EntityFound
from offhook.protocols import live
from offhook.protocols.live_words import Line, SeatView

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "offhook"
PAGE = (ROOT / "docs" / "desk.md").read_text("utf-8")
WIRE = (ROOT / "console" / "src" / "desk" / "wire.ts").read_text("utf-8")
READ = {"audio", *live._READ}
"""What clients may say."""
SPOKEN = (
    "protocols/live_words.py",
    "channels/live.py",
    "channels/live_channel.py",
    "channels/live_screen.py",
)


def said() -> set[str]:
    """Types of what the server says on `/ws/live`, as they stand in its source."""
    found = {"audio"}  # put together by hand: it is the one that comes fifty times a second
    for name in SPOKEN:
        found |= set(re.findall(r'\bmessage\(\s*"(\w+)"', (SOURCE / name).read_text("utf-8")))
    return found


def section(title: str) -> str:
    """A part of the page, from its heading to the next one."""
    return PAGE.split(f"### {title}\n", 1)[1].split("\n##", 1)[0]


def documented(title: str) -> Iterator[str]:
    """The JSON messages in the first columns of a part's table."""
    for row in section(title).splitlines():
        cell = row[2:].split(" | ", 1)[0] if row.startswith("| `{") else ""
        yield from re.findall(r"`(\{.*?\})`(?= ·|\s*$| \|)", cell) or ([cell.strip("`")] if cell else [])


def types_of(messages: Iterator[str]) -> set[str]:
    return {re.match(r'\{"type":"(\w+)"', one)[1] for one in messages}  # type: ignore[index]


def union(name: str) -> set[str]:
    """The types of a union of messages in the console's words."""
    body = WIRE.split(f"export type {name} =", 1)[1].split(";\n\nexport", 1)[0]
    found = {
        word
        for group in re.findall(r'type: ((?:"\w+"(?: \| )?)+)', body)
        for word in re.findall(r'"(\w+)"', group)
    }
    return found | ({"joined"} if "| Joined" in body else set())


def test_what_clients_say_is_the_same_everywhere() -> None:
    assert types_of(documented("Client → server")) == READ
    assert {name.partition(".")[0] for name in COMMANDS} == READ, "each is judged by the table of roles"
    assert union("DeskUp") == READ - {"audio"}, "the console sends sound as binary messages"
    assert {name_of(wish) for wish in _wishes()} | {"audio", "ping", "card.say"} == set(COMMANDS)


def _wishes() -> Iterator[live.Wish]:
    for kind in _NAMES:
        yield kind.__new__(kind)
    yield live.CardAct("x", live.CardAction.PLAY)


def test_the_messages_on_the_page_are_messages() -> None:
    silence = base64.b64encode(bytes(640)).decode()
    for raw in documented("Client → server"):
        fit = raw.replace("<base64>", silence).replace("…", "x")
        assert live.read(fit, live.RATE), raw


def test_what_the_server_says_is_the_same_everywhere() -> None:
    assert types_of(documented("Server → client")) == said()
    assert union("DeskDown") == said() - {"audio"}


def names_in(kind: str) -> set[str]:
    """The names that the page gives a message, at its first level."""
    raw = next(one for one in documented("Server → client") if one.startswith(f'{{"type":"{kind}"'))
    flat = re.sub(r"\[[^\[\]]*\]|\{[^{}]*\}", "", raw[1:-1])
    return set(re.findall(r'"(\w+)"(?=[,:]|$)', re.sub(r':"\w+"', "", flat))) - {"type"}


def test_messages_have_the_fields_that_the_page_names() -> None:
    assert names_in("transcript") == {field.name for field in fields(Line)}
    found = {field.name for field in fields(EntityFound)} - {"type"}
    assert names_in("entity") == found | {"entity_type", "pinned"}
    assert f'"seats":[{{{",".join(f"{chr(34)}{f.name}{chr(34)}" for f in fields(SeatView))}}}]' in PAGE


@pytest.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with staged() as found:
        yield found


def interface(name: str) -> set[str]:
    body = WIRE.split(f"export interface {name} ", 1)[1].split("\n}", 1)[0]
    return set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))


async def test_who_joins_gets_what_the_page_says_and_the_console_reads(stage: DeskStage) -> None:
    waiting = await stage.operator("ann", "early")
    ann = await waiting.wait("joined")
    await stage.caller()
    joined = await (await stage.operator("sue", stance="listen")).wait("joined")
    assert joined.keys() == ann.keys(), "who waits gets the same names"
    shown = names_in("joined") | {"type"}
    assert set(joined) == shown, "docs/desk.md"
    assert interface("Joined") | interface("Seating") <= set(joined), "console/src/desk/wire.ts"


async def test_the_floor_shows_what_the_page_says_and_the_console_reads(stage: DeskStage) -> None:
    await stage.caller()
    watcher = await stage.watcher()
    message = await watcher.wait("floor")
    example: dict[str, Any] = json.loads(re.search(r'```json\n(\{"type":"floor".*?)```', PAGE, re.DOTALL)[1])  # type: ignore[index]
    assert set(message) == set(example)
    assert set(message["calls"][0]) == set(example["calls"][0])
    assert set(message["counters"]) == set(example["counters"])
    own = {"heard_at"}  # when a card came, by the page's clock
    assert interface("FloorCall") - own <= set(message["calls"][0])


def test_the_examples_speak_it() -> None:
    for name in ("live_operator.py", "live_operator.js"):
        text = (ROOT / "examples" / name).read_text("utf-8")
        sent = set(re.findall(r'(?:"type": |send\()"(\w+)"', text))
        known = set(re.findall(r'(?:case|==|===) "(\w+)"', text))
        assert sent, name
        assert sent <= READ | said(), name
        assert known & said(), name
