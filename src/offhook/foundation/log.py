"""Sets logging up once per process: one clean format for our records and the libraries'."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import IO, Any, Literal

import structlog
from structlog.typing import Processor

from offhook.foundation.redact import Redactor

_QUIET = (
    "httpx",
    "httpcore",
    "asyncio",
    "sqlalchemy",
    "alembic",
    "picows",
    "aioice",
    "aiortc",
    "watchfiles",
    "twilio.http_client",
)
"""Libraries whose INFO lines carry addresses or come per request; they log from WARNING on."""
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class WithoutQuery(logging.Filter):
    """Cuts the query string from uvicorn's access records: tokens travel there."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_cut(value) for value in record.args)
        return True


def _cut(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("/") and "?" in value:
        return value.partition("?")[0]
    return value


class _Bound:
    """Adds the same fields to every record."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = dict(fields)

    def __call__(self, logger: Any, name: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in self._fields.items():
            record.setdefault(key, value)
        return record


def configure(
    level: Literal["debug", "info", "warning", "error"] = "info",
    format: Literal["console", "json"] = "console",
    secrets: Iterable[str] = (),
    stream: IO[str] | None = None,
    bound: Mapping[str, Any] | None = None,
) -> None:
    """Send all records, structlog's and stdlib's, through one cleaned formatter to `stream` (stderr).

    `secrets` are values that must never appear; `bound` fields are in every record. May be called
    again; the last call counts.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *((_Bound(bound),) if bound else ()),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    handler.setFormatter(_formatter(format, shared, Redactor(secrets), colors=target.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    _route_libraries(_LEVELS[level])


def _formatter(
    format: str, shared: list[Processor], redactor: Redactor, colors: bool
) -> structlog.stdlib.ProcessorFormatter:
    renderer: Processor
    if format == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            redactor,
            renderer,
        ],
    )


def _route_libraries(level: int) -> None:
    """Libraries log through the root; the chatty ones only what is wrong, unless everything is wanted."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", *_QUIET):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET if level <= logging.DEBUG else logging.WARNING)
    access = logging.getLogger("uvicorn.access")
    if not any(isinstance(f, WithoutQuery) for f in access.filters):
        access.addFilter(WithoutQuery())
    logging.captureWarnings(True)
