"""What operators are told of a Realtime session: its configuration, limits, errors. Holds no session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog

from offhook.foundation.errors import BusyError, ProviderError
from offhook.foundation.redact import redact_text
from offhook.protocols import openai_realtime as wire
from offhook.protocols import openai_realtime_events as events

PROVIDER = "openai-realtime"
_LOW = 0.05
"""The share of a rate limit that is left when the operator is told."""

_log = structlog.get_logger(__name__)


def configured(config: wire.SessionConfig, event: events.SessionUpdated) -> None:
    """One line on the session as the server has it; a server may use another format than it was asked for."""
    turns: dict[str, Any] = {"threshold": config.threshold, "silence_ms": config.silence_ms}
    if config.turn_detection == "semantic_vad":
        turns = {"eagerness": config.eagerness}
    _log.info(
        "a realtime session is configured",
        model=event.model or config.model,
        voice=event.voice or config.voice,
        speed=config.speed,
        format=config.format,
        turn_detection=config.turn_detection,
        **turns,
        transcription=config.transcription_model or "off",
        noise_reduction=config.noise_reduction or "off",
        tools=[tool.name for tool in config.tools],
    )
    for said, does in ((event.input_format, "hears"), (event.output_format, "speaks")):
        if said and said != config.format:
            _log.warning("a realtime server chose a format", asked=config.format, server=f"{does} {said}")


def near(limits: Iterable[events.RateLimit]) -> list[BusyError]:
    """The limits of which little is left."""
    return [
        BusyError(
            PROVIDER,
            f"is near its limit of {_plain(limit.name)}; more in {limit.reset_seconds:.0f} s",
            limit.reset_seconds,
        )
        for limit in limits
        if limit.limit and limit.remaining <= limit.limit * _LOW
    ]


def failure(what: str, code: str) -> ProviderError:
    """The server did this, for a reason that it gave a name to."""
    return ProviderError(PROVIDER, f"{what} ({_plain(code)})")


def reported(code: str, message: str, retryable: bool = True) -> ProviderError:
    """What the server said of an error, in one line without keys."""
    text = " ".join(redact_text(message).split())[:200]
    return ProviderError(PROVIDER, f"{_plain(code)}: {text}" if text else _plain(code), retryable=retryable)


def _plain(code: str) -> str:
    return code if code.replace("_", "").isalnum() else "unknown"
