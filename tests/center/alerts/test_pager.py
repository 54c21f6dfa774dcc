"""Alerts told to a web address: signed, in time, tried again, never inwards unless that is allowed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from offhook.center.alerts.pager import WAITING, WebPager, payload, signature
from offhook.center.alerts.rules import Cause, Rule, Watched, raised
from offhook.foundation.clock import ManualClock
from offhook.foundation.desk_events import AlertRaised, Emotion, RiskSeen, SentimentFound, WarningLevel

SECRET = "a secret of the tests"  # check_files: a made-up secret
ALERT = AlertRaised("alert_1", "Unhappy caller", "score", WarningLevel.HIGH, "sentiment -0.80", 4000, True)


class Call:
    call_id, agent, queue, channel = "call_1", "default", "support", "phone"
    last: SentimentFound | None = SentimentFound(1, -0.8, -0.9, -0.1, Emotion.UNHAPPY, "negative", 1, "en", 1)


class Service:
    """A web service that keeps what it gets and answers with the next of `answers`."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers = ["204"]
        self.news = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                answer = self.answers[min(len(self.got), len(self.answers) - 1)]
                self.got.append((headers, body))
                self.news.set()
                if answer == "cut":
                    break
                where = f"http://127.0.0.1:{self.port}/elsewhere"
                writer.write(
                    f"HTTP/1.1 {answer} X\r\nlocation: {where}\r\ncontent-length: 0\r\n\r\n".encode()
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def heard(self, count: int) -> None:
        while len(self.got) < count:
            self.news.clear()
            async with asyncio.timeout(5):
                await self.news.wait()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


def pager(service: Service, *, allow_private: bool = True) -> WebPager:
    url = f"http://127.0.0.1:{service.port}/alerts"
    return WebPager(url, SECRET, ManualClock(), allow_private=allow_private, pauses=(0.01, 0.01))


async def settled(made: WebPager) -> None:
    async with asyncio.timeout(5):
        while not made.sent + made.failed:
            await asyncio.sleep(0.01)


async def test_an_alert_is_told_and_signed(service: Service) -> None:
    made = pager(service)
    made.page(Call(), ALERT)
    await settled(made)
    headers, body = service.got[0]
    assert headers["x-offhook-signature"] == signature(SECRET.encode(), headers["x-offhook-timestamp"], body)
    assert json.loads(body) == {
        "type": "alert",
        "id": "alert_1",
        "at": "2026-01-01T00:00:00+00:00",
        "rule": "Unhappy caller",
        "cause": "score",
        "level": "high",
        "text": "sentiment -0.80",
        "call": {"id": "call_1", "agent": "default", "queue": "support", "channel": "phone"},
        "sentiment": {"score": -0.8, "trend": -0.1, "emotion": "unhappy"},
    }
    await made.close()


@pytest.mark.parametrize(
    ("answers", "tries", "sent"),
    [
        (["500", "503", "200"], 3, 1),
        (["cut", "204"], 2, 1),
        (["429", "204"], 2, 1),
        (["500"], 3, 0),
        (["404"], 1, 0),
        (["302"], 1, 0),
    ],
)
async def test_it_is_tried_again_where_that_may_help(
    service: Service, answers: list[str], tries: int, sent: int
) -> None:
    service.answers = answers
    made = pager(service)
    made.page(Call(), ALERT)
    await settled(made)
    assert (len(service.got), made.sent, made.failed) == (tries, sent, 1 - sent)
    await made.close()


async def test_no_inner_address_unless_allowed(service: Service) -> None:
    made = pager(service, allow_private=False)
    made.page(Call(), ALERT)
    await settled(made)
    assert (service.got, made.failed) == ([], 1)
    await made.close()


async def test_what_waits_is_bounded_and_leaves_at_the_end(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    monkeypatch.setattr("offhook.center.alerts.pager.CLOSE_S", 20.0)  # a busy machine
    made = pager(service)
    for _ in range(WAITING + 5):
        made.page(Call(), ALERT)
    assert made.failed == 5
    await made.close()
    assert len(service.got) == made.sent == WAITING


async def test_closing_does_not_wait_for_a_dead_address(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    monkeypatch.setattr("offhook.center.alerts.pager.CLOSE_S", 0.05)
    service.answers = ["500"]
    url = f"http://127.0.0.1:{service.port}/"
    made = WebPager(url, SECRET, ManualClock(), allow_private=True, pauses=(30.0,))
    made.page(Call(), ALERT)
    await service.heard(1)
    async with asyncio.timeout(2):
        await made.close()


async def test_a_pager_that_was_never_used_closes() -> None:
    await WebPager("http://127.0.0.1:9/", SECRET, ManualClock()).close()


def test_a_call_without_sentiment_is_told_without() -> None:
    call = Call()
    call.last = None
    assert json.loads(payload(call, ALERT, "now"))["sentiment"] is None


def test_what_a_model_wrote_of_the_call_stays_in_the_house() -> None:
    rule = Rule("Grave", Cause.WARNING, page=True)
    warned = Watched(rule).see(RiskSeen(1, "complaint", 0.9, WarningLevel.HIGH, "Ana, 555 0199, sues"), 0.0)
    assert "555 0199" in warned
    told = payload(Call(), raised(rule, "alert_1", warned, 0), "now")
    assert json.loads(told)["text"] == "high warning"
