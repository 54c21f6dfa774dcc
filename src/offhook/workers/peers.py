"""A worker's way to the other workers: tells them something, asks them something. Knows no meaning of it."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import structlog

from offhook.bus.line import Line, Message

ASK_SECONDS = 2.0
_log = structlog.get_logger(__name__)

Answer = Callable[[Any], Any]
Hear = Callable[[Any, socket.socket | None], None]


@dataclass(slots=True)
class _Question:
    """What was asked of whom, and what came back."""

    missing: set[int]
    answers: dict[int, Any] = field(default_factory=dict)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Peers:
    """`roster` maps each other worker that is up to its berth. Give every message of the line that is
    `passed` to `receive`. Event loop only."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._hears: dict[str, Hear] = {}
        self._answers: dict[str, Answer] = {}
        self._questions: dict[int, _Question] = {}
        self._numbers = itertools.count(1)
        self._replies: set[asyncio.Task[None]] = set()
        self.roster: dict[int, int] = {}

    def hear(self, name: str, heard: Hear) -> None:
        """`heard(value, connection)` is called for what others tell under this name; it owns the socket."""
        self._hears[name] = heard

    def answer(self, name: str, answer: Answer) -> None:
        """`answer(value)` gives what is answered to those who ask under this name, or awaits it."""
        self._answers[name] = answer

    def tell(
        self,
        name: str,
        value: Any,
        to: Collection[int] | None = None,
        connection: socket.socket | None = None,
    ) -> bool:
        """Tell these workers, or all that are up; immediate. A socket goes to one. False when it cannot
        leave now."""
        whom = list(self.roster if to is None else to)
        message = {"kind": "pass", "to": whom, "way": "tell", "name": name, "value": value}
        return self._line.send(message, connection)

    async def ask(
        self, name: str, value: Any, to: Collection[int] | None = None, seconds: float = ASK_SECONDS
    ) -> dict[int, Any]:
        """What each of these workers, or of all that are up, answers within `seconds`; who does not is left
        out. A worker that fails at it answers None."""
        whom = [slot for slot in (self.roster if to is None else to) if slot in self.roster]
        if not whom:
            return {}
        number = next(self._numbers)
        question = self._questions[number] = _Question(set(whom))
        message = {"kind": "pass", "to": whom, "way": "ask", "name": name, "value": value, "number": number}
        try:
            if self._line.send(message):
                await asyncio.wait_for(question.done.wait(), seconds)
        except TimeoutError:
            _log.warning("workers did not answer", asked=name, workers=sorted(question.missing))
        finally:
            del self._questions[number]
        return question.answers

    def enlist(self, roster: dict[int, int]) -> None:
        """Who is up now; nobody waits for an answer of those who are not."""
        self.roster = roster
        for question in self._questions.values():
            question.missing.intersection_update(roster)
            if not question.missing:
                question.done.set()

    def receive(self, message: Message, connection: socket.socket | None) -> None:
        """A message that another worker passed."""
        try:
            match message["way"]:
                case "tell":
                    hear = self._hears.get(message["name"])
                    if hear is not None:
                        taken, connection = connection, None
                        hear(message["value"], taken)
                case "ask":
                    self._reply(message)
                case "answer":
                    self._answered(message)
        except Exception:
            _log.exception("a message of another worker failed", name=message.get("name"))
        finally:
            if connection is not None:
                connection.close()

    def _reply(self, message: Message) -> None:
        task = asyncio.get_running_loop().create_task(
            self._replied(message), name=f"answer-{message['name']}"
        )
        self._replies.add(task)
        task.add_done_callback(self._replies.discard)

    async def _replied(self, message: Message) -> None:
        value = None
        try:
            answer = self._answers.get(message["name"])
            value = answer(message["value"]) if answer is not None else None
            if inspect.isawaitable(value):
                value = await value
        except Exception:
            value = None
            _log.exception("a question of another worker failed", name=message["name"])
        to, number = [message["from"]], message["number"]
        self._line.send({"kind": "pass", "to": to, "way": "answer", "value": value, "number": number})

    def _answered(self, message: Message) -> None:
        question = self._questions.get(message["number"])
        if question is not None:
            question.answers[message["from"]] = message["value"]
            question.missing.discard(message["from"])
            if not question.missing:
                question.done.set()
