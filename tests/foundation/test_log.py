"""One format for all records, clean of secrets, with the call's id."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from offhook.foundation import log


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()


def _records(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_both_kinds_of_records_look_alike_and_are_clean() -> None:
    stream = io.StringIO()
    log.configure("info", "json", secrets=["canary-value"], stream=stream)
    structlog.get_logger("offhook.test").info("call began", key="canary-value", caller="+15550142233")
    logging.getLogger("uvicorn.error").warning("odd %s", "canary-value")
    ours, theirs = _records(stream)
    assert (ours["event"], ours["key"], ours["caller"]) == ("call began", "[secret]", "[phone]")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == (
        "odd [secret]",
        "warning",
        "uvicorn.error",
    )
    assert ours["timestamp"].endswith("Z")


def test_the_access_log_has_no_query_string() -> None:
    stream = io.StringIO()
    log.configure("info", "json", stream=stream)
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", "/call?token=canary", "1.1", 200
    )
    assert _records(stream)[0]["event"] == '127.0.0.1:1 - "GET /call HTTP/1.1" 200'


def test_chatty_libraries_speak_only_when_something_is_wrong() -> None:
    stream = io.StringIO()
    log.configure("info", "json", stream=stream)
    logging.getLogger("httpx").info("HTTP Request: GET https://host/?key=canary")
    logging.getLogger("httpx").warning("slow")
    assert [record["event"] for record in _records(stream)] == ["slow"]


def test_levels_are_kept() -> None:
    stream = io.StringIO()
    log.configure("warning", "json", stream=stream)
    structlog.get_logger("offhook.test").info("not shown")
    structlog.get_logger("offhook.test").warning("shown")
    assert [record["event"] for record in _records(stream)] == ["shown"]


async def test_the_call_id_follows_into_tasks_and_ends_with_the_block() -> None:
    stream = io.StringIO()
    log.configure("info", "json", stream=stream)
    logger = structlog.get_logger("offhook.test")

    async def inside() -> None:
        logger.info("inside")

    with structlog.contextvars.bound_contextvars(call_id="call_1"):
        await asyncio.create_task(inside())
    logger.info("outside")
    inner, outer = _records(stream)
    assert inner["call_id"] == "call_1"
    assert "call_id" not in outer


def test_exceptions_are_cleaned_too() -> None:
    stream = io.StringIO()
    log.configure("info", "console", secrets=["canary-value"], stream=stream)
    try:
        raise ValueError("with canary-value\nINFO forged record")
    except ValueError:
        logging.getLogger("x").exception("it failed")
    text = stream.getvalue()
    assert "canary-value" not in text
    assert "ValueError: with [secret]" in text
    assert not any(line.startswith("INFO forged") for line in text.splitlines())
