"""Rows of users, sessions and the audit log, on SQLite and, where it is installed, on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from offhook.foundation.errors import ConflictError, NotFoundError, StorageError
from offhook.foundation.people import Role
from offhook.storage import schema
from offhook.storage.audit import AuditRows, AuditView, Deed, append
from offhook.storage.audit_check import verify, walk
from offhook.storage.audit_trim import TRIMMED, trim
from offhook.storage.people import SESSIONS_PER_USER, PeopleRows, SessionRecord, UserRecord
from offhook.storage.tables import metadata
from offhook.storage.writer import RowWriter

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, upgraded."""
    made = schema.connect(database_url)
    schema.upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def rows(engine: Engine) -> PeopleRows:
    return PeopleRows(engine)


def person(name: str, role: Role = Role.OPERATOR, agents: tuple[str, ...] = ("*",)) -> UserRecord:
    return UserRecord(f"user_{name.lower()}", name, name.title(), role, agents, False, NOW)


def login(user: str, number: int = 0, at: datetime = NOW) -> SessionRecord:
    return SessionRecord(f"{user}-{number}", user, at, at, at + timedelta(hours=24), "127.0.0.1")


def test_the_migration_goes_both_ways(engine: Engine) -> None:
    config = schema._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    schema.upgrade(engine)
    assert set(inspect(engine).get_table_names()) == {"alembic_version", *metadata.tables}


def test_users_are_kept_as_they_were_given(rows: PeopleRows) -> None:
    boss, sara = person("Boss", Role.ADMIN), person("sara", agents=("support", "sales"))
    rows.add(boss, "hash-1")
    rows.add(sara, "hash-2")
    assert rows.users() == [boss, sara]
    assert rows.named("BOSS") == (boss, "hash-1")
    assert rows.named("nobody") is None
    assert rows.user(sara.id).person.agents == ("support", "sales")
    with pytest.raises(NotFoundError):
        rows.user("user_x")


def test_names_are_unique_whatever_their_case(rows: PeopleRows) -> None:
    rows.add(person("Boss", Role.ADMIN), "hash")
    with pytest.raises(ConflictError, match="of that name"):
        rows.add(UserRecord("user_2", "bOSS", "", Role.ADMIN, ("*",), False, NOW), "hash")
    assert len(rows.users()) == 1


def test_there_is_always_an_admin_who_may_log_in(rows: PeopleRows) -> None:
    with pytest.raises(ConflictError, match="first user"):
        rows.add(person("sara"), "hash")
    boss = person("boss", Role.ADMIN)
    rows.add(boss, "hash")
    rows.add(person("sara"), "hash")
    for change in ({"role": Role.SUPERVISOR}, {"disabled": True}):
        with pytest.raises(ConflictError, match="last admin"):
            rows.change(boss.id, **change)
    for also_last in (False, True):
        with pytest.raises(ConflictError, match="last admin"):
            rows.remove(boss.id, also_last=also_last)
    assert rows.user(boss.id) == boss
    rows.change("user_sara", role=Role.ADMIN)
    assert rows.change(boss.id, disabled=True).disabled
    rows.remove(boss.id)
    with pytest.raises(ConflictError):
        rows.remove("user_sara")
    rows.remove("user_sara", also_last=True)
    assert rows.users() == []


def test_two_admins_cannot_demote_each_other_at_once(rows: PeopleRows) -> None:
    rows.add(person("one", Role.ADMIN), "hash")
    rows.add(person("two", Role.ADMIN), "hash")
    start = threading.Barrier(2)

    def demote(user: str) -> str:
        start.wait()
        try:
            rows.change(user, role=Role.OPERATOR)
        except ConflictError:
            return "refused"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(demote, ["user_one", "user_two"])) == ["done", "refused"]


def test_sessions_begin_and_end_with_their_user(rows: PeopleRows) -> None:
    rows.add(person("boss", Role.ADMIN), "hash")
    rows.add(person("sara"), "hash")
    for number in range(SESSIONS_PER_USER + 3):
        rows.begin(login("user_sara", number, NOW + timedelta(seconds=number)))
    rows.begin(login("user_boss"))
    found = rows.snapshot()
    kept = {session for session in found.sessions if session.startswith("user_sara")}
    assert kept == {f"user_sara-{n}" for n in range(3, SESSIONS_PER_USER + 3)}, "the oldest go"
    assert found.users["user_sara"].last_login_at == NOW + timedelta(seconds=SESSIONS_PER_USER + 2)
    rows.set_password("user_sara", "new", keep="user_sara-5")
    assert set(rows.snapshot().sessions) == {"user_sara-5", "user_boss-0"}
    rows.rehash("user_sara", "hash", "stale")
    rows.rehash("user_sara", "new", "newer")
    assert [rows.named(name)[1] for name in ("sara", "boss")] == ["newer", "hash"]  # type: ignore[index]
    with pytest.raises(NotFoundError):
        rows.begin(login("user_sara", 98), "new")
    rows.end("user_boss-0")
    rows.end("user_boss-0")
    assert set(rows.snapshot().sessions) == {"user_sara-5"}
    rows.change("user_sara", disabled=True)
    assert rows.snapshot().sessions == {}
    with pytest.raises(NotFoundError):
        rows.begin(login("user_sara", 99))
    rows.begin(login("user_boss", 1))
    rows.begin(login("user_boss", 2, NOW + timedelta(hours=25)))
    assert set(rows.snapshot().sessions) == {"user_boss-2"}, "what has expired is swept"


def test_every_change_counts_and_being_seen_does_not(rows: PeopleRows) -> None:
    versions = [rows.version()]
    for change in (
        lambda: rows.add(person("boss", Role.ADMIN), "hash"),
        lambda: rows.begin(login("user_boss")),
        lambda: rows.change("user_boss", shown="The Boss"),
        lambda: rows.end_all("user_boss"),
    ):
        change()
        versions.append(rows.version())
    assert versions == sorted(set(versions))
    rows.begin(login("user_boss"))
    before = rows.version()
    later = NOW + timedelta(minutes=5)
    rows.seen({"user_boss-0": later})
    rows.seen({"user_boss-0": NOW})
    rows.seen({})
    assert rows.snapshot().sessions["user_boss-0"].seen_at == later, "never earlier than it was"
    assert rows.version() == before


# The audit log.


def deed(action: str, number: int = 0, person: str = "user_1", call_id: str = "") -> Deed:
    at = NOW + timedelta(seconds=number, microseconds=number)
    return Deed(at, person, "Sara Müller", "operator", action, call_id, {"n": number, "ß": [1.5, None]})


def fill(engine: Engine, count: int) -> None:
    with engine.begin() as connection:
        append(connection, [deed("join", number) for number in range(count)])


def tamper(engine: Engine, statement: str) -> None:
    """As somebody would who owns the database: past what keeps the log append-only."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        connection.execute(text(statement))


def test_the_log_is_whole_and_read_newest_first(engine: Engine) -> None:
    log = AuditRows(engine)
    assert verify(engine).whole
    fill(engine, 3)
    with engine.begin() as connection:
        append(connection, [deed("listen", 3, "user_2", "call_1"), deed("login", 4, "user_2")])
    found = verify(engine)
    assert (found.whole, found.entries, found.broken_at) == (True, 5, None)
    page = log.page(AuditView(), 2)
    assert [entry.seq for entry in page] == [5, 4]
    assert page[0].hash == found.head
    assert (page[1].name, page[1].detail) == ("Sara Müller", {"n": 3, "ß": [1.5, None]})
    assert page[1].at == NOW + timedelta(seconds=3, microseconds=3)
    assert [e.seq for e in log.page(AuditView(before=4), 9)] == [3, 2, 1]
    assert [e.seq for e in log.page(AuditView(person="user_2"), 9)] == [5, 4]
    assert [e.seq for e in log.page(AuditView(action="join"), 9)] == [3, 2, 1]
    assert [e.seq for e in log.page(AuditView(call_id="call_1"), 9)] == [4]
    assert [e.seq for e in log.page(AuditView(about="user_1"), 9)] == [4, 3, 2, 1], "own deeds, and on calls"


@pytest.mark.parametrize("statement", ["UPDATE audit SET action='x'", "DELETE FROM audit WHERE seq=2"])
def test_the_database_refuses_to_alter_the_log(engine: Engine, statement: str) -> None:
    fill(engine, 3)
    with pytest.raises(DBAPIError, match="only added to"), engine.begin() as connection:
        connection.execute(text(statement))
    assert verify(engine).entries == 3


ALTERED = {
    "UPDATE audit SET action='leave' WHERE seq=4": 4,
    "UPDATE audit SET person='user_9' WHERE seq=4": 4,
    "UPDATE audit SET name='Sara' WHERE seq=4": 4,
    "UPDATE audit SET role='admin' WHERE seq=4": 4,
    "UPDATE audit SET call_id='call_2' WHERE seq=4": 4,
    "UPDATE audit SET detail='{}' WHERE seq=4": 4,
    "UPDATE audit SET at='2026-03-01 12:00:01.000000' WHERE seq=4": 4,
    "UPDATE audit SET hash=(SELECT a.hash FROM audit a WHERE a.seq=1) WHERE seq=4": 4,
    "DELETE FROM audit WHERE seq=1": 1,
    "DELETE FROM audit WHERE seq=4": 4,
    "UPDATE audit SET seq=seq+100 WHERE seq=6": 6,
}


def test_verifying_finds_the_first_altered_row(engine: Engine) -> None:
    fill(engine, 6)
    tamper(engine, "SELECT 1")
    for statement, broken_at in ALTERED.items():
        with engine.connect() as connection:
            connection.execute(text(statement))
            found = walk(connection, 0, "")
            connection.rollback()
        assert (found.whole, found.broken_at, found.entries) == (False, broken_at, broken_at - 1), statement
    assert verify(engine).whole


def test_a_noted_head_shows_a_log_cut_short_or_written_anew(engine: Engine) -> None:
    fill(engine, 4)
    head = verify(engine).head
    fill(engine, 2)
    assert verify(engine, 4, head).whole
    tamper(engine, "DELETE FROM audit WHERE seq>2")
    assert verify(engine).whole, "a chain alone cannot tell"
    assert verify(engine, 4, head).broken_at == 3
    with engine.begin() as connection:
        append(connection, [deed("other", 7), deed("other", 8)])
    assert verify(engine).whole
    assert verify(engine, 4, head).broken_at == 4


def test_the_chain_stays_one_with_many_writers(engine: Engine) -> None:
    """As with `--workers`: each writer has its own thread, queue and connections."""
    engines = [create_engine(engine.url) for _ in range(3)] if engine.dialect.name != "sqlite" else []
    engines = engines or [schema.connect(str(engine.url)) for _ in range(3)]
    writers = [RowWriter[Deed](each, append, 1_000, 0.01) for each in engines]
    for number in range(40):
        for writer in writers:
            assert writer.put(deed("join", number), soon=True)
    for writer in writers:
        writer.close(20)
        assert writer.lost == 0
    for each in engines:
        each.dispose()
    found = verify(engine)
    assert (found.whole, found.entries) == (True, 120)


def test_old_rows_go_and_the_rest_is_still_a_chain(engine: Engine) -> None:
    fill(engine, 9)
    before = [verify(engine), AuditRows(engine).page(AuditView(before=6), 1)[0]]
    assert trim(engine, NOW + timedelta(seconds=5), NOW) == 5
    page = AuditRows(engine).page(AuditView(), 99)
    assert [entry.seq for entry in page] == [10, 9, 8, 7, 6]
    assert (page[0].action, page[0].detail["to"], page[0].detail["rows"]) == (TRIMMED, 5, 5)
    assert page[0].detail["hash"] == before[1].hash
    found = verify(engine)
    assert (found.whole, found.entries, found.let_go) == (True, 10, 5)
    assert trim(engine, NOW + timedelta(seconds=5), NOW) == 0, "nothing to let go, and nothing said of it"
    fill(engine, 2)
    assert verify(engine, 9, before[0].head).whole
    assert verify(engine, 5, before[1].hash).whole
    assert verify(engine, 5, "0" * 64).reason == "the log was written anew up to here"
    assert verify(engine, 4, before[1].hash).reason == "the log no longer has the row that was noted"


def test_all_that_is_there_may_be_old(engine: Engine) -> None:
    assert trim(engine, NOW, NOW) == 0
    fill(engine, 3)
    assert trim(engine, NOW + timedelta(days=9), NOW + timedelta(days=9)) == 3
    fill(engine, 1)
    found = verify(engine)
    assert (found.whole, found.entries, found.let_go) == (True, 5, 3)
    assert trim(engine, NOW + timedelta(days=8), NOW + timedelta(days=20)) == 0, "a young row keeps the rest"


def test_rows_cannot_be_let_go_unseen(engine: Engine) -> None:
    fill(engine, 6)
    for statement in (
        "DELETE FROM audit WHERE seq=6",
        "UPDATE audit_anchor SET seq=-1",
        "DELETE FROM audit_anchor",
    ):
        with pytest.raises(DBAPIError, match="only"), engine.begin() as connection:
            connection.execute(text(statement))
    trim(engine, NOW + timedelta(seconds=2), NOW)
    hash_of = "(SELECT hash FROM audit WHERE seq=4)"
    with engine.begin() as connection:  # what its triggers cannot prevent, the chain shows
        connection.execute(text(f"UPDATE audit_anchor SET seq=4, hash={hash_of}"))
        connection.execute(text("DELETE FROM audit WHERE seq<=4"))
    found = verify(engine)
    assert (found.whole, found.broken_at) == (False, 4)
    assert "does not tell of" in found.reason


def test_two_that_trim_at_once_let_go_once(engine: Engine) -> None:
    fill(engine, 50)
    with ThreadPoolExecutor(4) as pool:
        wanted = [NOW + timedelta(seconds=20)] * 4
        assert sorted(pool.map(lambda when: trim(engine, when, NOW), wanted)) == [0, 0, 0, 20]
    assert verify(engine).whole
    assert len(AuditRows(engine).page(AuditView(action=TRIMMED), 9)) == 1


def test_without_its_tables_errors_say_so(tmp_path: Path) -> None:
    bare = schema.connect(f"sqlite:///{tmp_path}/bare.db")
    for work in (
        PeopleRows(bare).users,
        lambda: verify(bare),
        lambda: AuditRows(bare).page(AuditView(), 1),
    ):
        with pytest.raises(StorageError, match="cannot be read"):
            work()
    bare.dispose()
