"""Opens a database and brings it to today's shape. No rows are read or written here."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from offhook.foundation.errors import StorageError

_BUSY_MS = 250


def _pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        cursor.close()


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise StorageError("a database in memory cannot be shared between threads", retryable=False)
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Rows hold what people said: nobody else on the machine may read them.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StorageError(f"the database {path} cannot be opened: {error.strerror}") from None
    engine = create_engine(url)
    event.listen(engine, "connect", _pragmas)
    return engine


def connect(url: str) -> Engine:
    """An engine for `url` (`sqlite:///path` or `postgresql+driver://…`). Raises StorageError."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        return create_engine(parsed, pool_pre_ping=True, client_encoding="utf8")
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise StorageError("the database URL is not understood, or its driver is not installed") from None


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "offhook.storage:migrations")
    return config


def _check_encoding(connection: Connection) -> None:
    """Words are in any language, and the driver gives bytes where the encoding says nothing of them."""
    if connection.dialect.name == "postgresql":
        encoding = connection.execute(text("SHOW server_encoding")).scalar()
        if encoding != "UTF8":
            raise StorageError(f"the database's encoding is {encoding}: make one with UTF8", retryable=False)


def upgrade(engine: Engine) -> None:
    """Bring the database to today's shape. Raises StorageError; a failed step changes nothing."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = _config()
    try:
        with engine.begin() as connection:
            _check_encoding(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError:
        raise StorageError(
            "the database was made by a newer Offhook; upgrade Offhook or restore a backup", retryable=False
        ) from None
    except DBAPIError as error:
        cause = " ".join(str(error.orig).split())
        raise StorageError(f"the database cannot be opened: {cause}") from None
    except SQLAlchemyError as error:
        raise StorageError(f"the database cannot be opened: {type(error).__name__}") from None
