"""A house whose calls and people are in PostgreSQL: built by settings, asked by the commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import create_engine, make_url, text

from offhook.cli.checks import Mark
from offhook.cli.house_checks import check_database, has_users
from offhook.foundation.errors import StorageError
from offhook.settings import Settings
from offhook.storage.sql import SqlStore


async def test_a_house_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database=SecretStr(postgres_url))
    assert settings.database_url == postgres_url
    (before,) = check_database(settings)
    assert before.mark is Mark.GOOD
    store = SqlStore(settings.database_url)
    try:
        assert not has_users(settings)
        assert list(await store.calls()) == []
    finally:
        await store.close()


def test_without_one_there_is_a_file(tmp_path: Path) -> None:
    assert Settings(data=tmp_path).database_url == f"sqlite:///{tmp_path / 'offhook.db'}"


def test_a_server_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://offhook:canary@127.0.0.1:9/offhook?connect_timeout=1"
    settings = Settings(data=tmp_path, database=SecretStr(url))
    (found,) = check_database(settings)
    assert found.mark is Mark.WRONG
    assert "canary" not in repr(found) + repr(settings)
    assert not has_users(settings)


def test_other_kinds_of_databases_are_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(database=SecretStr("mysql://host/name"))


def test_a_database_that_cannot_hold_any_language_is_refused(postgres_url: str) -> None:
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    name = "ascii"
    with server.connect() as connection:
        connection.execute(
            text(
                f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
            )
        )
    server.dispose()
    with pytest.raises(StorageError, match="SQL_ASCII: make one with UTF8"):
        SqlStore(str(make_url(postgres_url).set(database=name)))
