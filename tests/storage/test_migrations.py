"""The steps lead exactly to the tables that the code uses, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from offhook.foundation.errors import StorageError
from offhook.storage import schema
from offhook.storage.tables import metadata


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = schema.connect(f"sqlite:///{tmp_path}/offhook.db")
    yield made
    made.dispose()


def test_steps_and_tables_agree(engine: Engine) -> None:
    schema.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_second_start_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("PRAGMA user_version=7"))
    schema.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA user_version")).scalar() == 7


def test_every_step_can_be_undone(engine: Engine) -> None:
    schema.upgrade(engine)
    config = schema._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    schema.upgrade(engine)
    assert set(inspect(engine).get_table_names()) == {"alembic_version", *metadata.tables}


def test_one_line_of_steps() -> None:
    assert len(ScriptDirectory.from_config(schema._config()).get_heads()) == 1


def test_a_database_of_a_newer_version_is_refused_untouched(engine: Engine) -> None:
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num='9999'"))
    with pytest.raises(StorageError, match="newer Offhook") as caught:
        schema.upgrade(engine)
    assert not caught.value.retryable
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_the_pragmas_that_durability_needs(engine: Engine) -> None:
    with engine.connect() as connection:
        found = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 1, 1, 250]


def test_postgresql_takes_the_tables() -> None:
    for table in metadata.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
        assert "TIMESTAMP WITH TIME ZONE" in statement or table.name != "calls"
