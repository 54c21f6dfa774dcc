"""Accounts, sessions and the audit log together, over a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from offhook.desk import passwords
from offhook.desk.accounts import Changes
from offhook.desk.audit import Audit
from offhook.desk.people import People, open_people
from offhook.desk.sessions import KEY, LOCAL, digest
from offhook.foundation.clock import ManualClock
from offhook.foundation.errors import ConflictError, LimitError, RefusedError, StorageError, WireError
from offhook.foundation.people import LOCAL_PERSON, Role
from offhook.storage import schema
from offhook.storage.audit import AuditView, Deed
from offhook.storage.people import UserRecord

PASSWORD = "correct horse battery"
IDLE, LIFE = timedelta(hours=8), timedelta(hours=24)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take a millisecond."""
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    monkeypatch.setattr(passwords, "_nobodys", lambda: cheap.hash("nobody"))


@dataclass
class Staff:
    people: People
    other: People
    """The same database, as another process has it open."""
    clock: ManualClock
    boss: UserRecord

    async def deeds(self) -> list[tuple[str, str]]:
        await self.people.audit.flush()
        return [(e.action, e.person) for e in await self.people.audit.page(AuditView(), 100)]


@pytest.fixture
async def staff(tmp_path: Path, quick: None) -> AsyncIterator[Staff]:
    engine, clock = schema.connect(f"sqlite:///{tmp_path}/offhook.db"), ManualClock()
    schema.upgrade(engine)
    people, other = (open_people(engine, clock, IDLE, LIFE) for _ in range(2))
    boss = await people.accounts.add(LOCAL_PERSON, "boss", PASSWORD, Role.ADMIN)
    yield Staff(people, other, clock, boss)
    await people.close()
    await other.close()
    engine.dispose()


# Logging in.


async def test_a_login_opens_a_session_until_it_is_idle(staff: Staff) -> None:
    sessions = staff.people.sessions
    secret, visitor = await staff.people.accounts.login("Boss", PASSWORD, "192.0.2.1")
    assert visitor.person == staff.boss.person
    assert visitor.session == digest(secret) != secret
    assert sessions.visitor("guess") is None
    for _ in range(2):
        staff.clock.advance(IDLE.total_seconds() - 60)
        assert sessions.is_alive(visitor.session)
        assert sessions.visitor(secret) == visitor, "its use keeps it"
    staff.clock.advance(IDLE.total_seconds() - 60)
    assert sessions.is_alive(visitor.session), "a look is no use"
    staff.clock.advance(60)
    assert not sessions.is_alive(visitor.session)
    assert sessions.visitor(secret) is None


async def test_a_session_ends_absolutely(staff: Staff) -> None:
    secret, visitor = await staff.people.accounts.login("boss", PASSWORD, "")
    for _ in range(24):
        assert staff.people.sessions.visitor(secret) == visitor
        staff.clock.advance(3600)
    assert staff.people.sessions.visitor(secret) is None


async def test_wrong_names_and_passwords_are_told_apart_by_nothing(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = staff.people.accounts
    sara = await accounts.add(LOCAL_PERSON, "sara", PASSWORD, Role.OPERATOR)
    await accounts.change(LOCAL_PERSON, sara.id, Changes(disabled=True))
    checked: list[bool] = []
    usual = passwords.matches

    def counted(hash: str | None, password: str) -> bool:
        checked.append(hash is not None)
        return usual(hash, password)

    monkeypatch.setattr(passwords, "matches", counted)
    reasons = set()
    for name, password in (
        ("boss", "wrong"),
        ("nobody", PASSWORD),
        ("sara", PASSWORD),
        ("no such name!", ""),
    ):
        with pytest.raises(RefusedError) as caught:
            await accounts.login(name, password, "192.0.2.1")
        reasons.add(caught.value.reason)
    assert reasons == {"the name or the password is wrong"}
    assert checked == [True, False, True, False], "the same work each time"
    await staff.people.audit.flush()
    found = await staff.people.audit.page(AuditView(action="login_failed"), 10)
    assert [each.detail["reason"] for each in found] == [
        "unknown name",
        "disabled",
        "unknown name",
        "password",
    ]
    assert "no such name!" not in str(found), "it may be a password in the wrong field"


async def test_logins_are_throttled_by_address_and_by_name(staff: Staff) -> None:
    tries: list[str] = []
    staff.people.accounts.allow = lambda key: tries.append(key) or key != "user boss"  # type: ignore[func-returns-value]
    with pytest.raises(LimitError):
        await staff.people.accounts.login("BOSS", PASSWORD, "192.0.2.1")
    assert tries == ["192.0.2.1", "user boss"]


async def test_an_old_hash_is_made_anew_at_login(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = await staff.people.accounts.login("boss", PASSWORD, "")
    stronger = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: stronger)
    await staff.people.accounts.login("boss", PASSWORD, "")
    assert staff.people.sessions.visitor(first) is not None, "who is logged in stays so"
    found = staff.people.accounts._rows.named("boss")
    assert found is not None
    assert "t=2" in found[1]


# Revoking.


async def test_what_ends_a_session_is_told_to_its_sockets(staff: Staff) -> None:
    accounts, sessions = staff.people.accounts, staff.people.sessions
    told: list[tuple[str, str]] = []
    sessions.on_revoked.append(lambda person, session: told.append((person, session)))
    sara = await accounts.add(LOCAL_PERSON, "sara", PASSWORD, Role.OPERATOR)

    async def seat() -> str:
        return (await accounts.login("sara", PASSWORD, ""))[1].session

    one, two = await seat(), await seat()
    visitor = sessions.find(one)
    assert visitor is not None
    await accounts.logout(visitor)
    assert told == [(sara.id, one)], "the other login stays"
    for end in (
        accounts.log_out(LOCAL_PERSON, sara.id),
        accounts.change(LOCAL_PERSON, sara.id, Changes(role=Role.SUPERVISOR)),
        accounts.change(LOCAL_PERSON, sara.id, Changes(agents=["support"])),
        accounts.set_password(LOCAL_PERSON, sara.id, "another long password"),
    ):
        told.clear()
        await end
        assert told == [(sara.id, two)]
        await accounts.log_out(LOCAL_PERSON, sara.id)
        await accounts.set_password(LOCAL_PERSON, sara.id, PASSWORD)
        two = await seat()
    told.clear()
    await accounts.change(LOCAL_PERSON, sara.id, Changes(disabled=True))
    assert told == [(sara.id, two)]
    assert not sessions.is_alive(two)


async def test_one_socket_that_fails_does_not_keep_the_others(staff: Staff) -> None:
    def broken(person: str, session: str) -> None:
        raise RuntimeError("a socket")

    told: list[str] = []
    staff.people.sessions.on_revoked += [broken, lambda person, session: told.append(session)]
    _, visitor = await staff.people.accounts.login("boss", PASSWORD, "")
    await staff.people.accounts.logout(visitor)
    assert told == [visitor.session]


async def test_ones_own_password(staff: Staff) -> None:
    accounts, sessions = staff.people.accounts, staff.people.sessions
    here, there = [(await accounts.login("boss", PASSWORD, ""))[1] for _ in range(2)]
    with pytest.raises(RefusedError, match="old password"):
        await accounts.change_own_password(here, "wrong", "another long password")
    with pytest.raises(WireError, match="characters"):
        await accounts.change_own_password(here, PASSWORD, "short")
    await accounts.change_own_password(here, PASSWORD, "another long password")
    assert sessions.is_alive(here.session)
    assert not sessions.is_alive(there.session)
    await accounts.login("boss", "another long password", "")


async def test_until_there_are_users_this_machine_is_the_admin(tmp_path: Path, quick: None) -> None:
    engine = schema.connect(f"sqlite:///{tmp_path}/offhook.db")
    schema.upgrade(engine)
    people = open_people(engine, ManualClock(), IDLE, LIFE)
    told: list[tuple[str, str]] = []
    people.sessions.on_revoked.append(lambda *gone: told.append(gone))
    assert people.sessions.is_alive(LOCAL)
    with pytest.raises(ConflictError):
        await people.accounts.add(LOCAL_PERSON, "sara", PASSWORD, Role.OPERATOR)
    await people.accounts.add(LOCAL_PERSON, "boss", PASSWORD, Role.ADMIN)
    assert told == [(LOCAL_PERSON.id, LOCAL)]
    assert not people.sessions.is_alive(LOCAL)
    assert people.sessions.is_alive(KEY)
    await people.close()
    engine.dispose()


# Several processes.


async def test_another_process_knows_when_it_is_told(staff: Staff) -> None:
    here, there = staff.people, staff.other
    here.sessions.tell = there.sessions.refresh
    secret, visitor = await here.accounts.login("boss", PASSWORD, "")
    assert there.sessions.visitor(secret) == visitor
    told: list[str] = []
    there.sessions.on_revoked.append(lambda person, session: told.append(session))
    await here.accounts.logout(visitor)
    assert there.sessions.visitor(secret) is None
    assert told == [visitor.session]


async def test_another_process_looks_by_itself(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `offhook user disable`, which tells nobody."""
    monkeypatch.setattr("offhook.desk.sessions.POLL_S", 0.005)
    revoked = asyncio.Event()
    secret, visitor = await staff.people.accounts.login("boss", PASSWORD, "")

    def gone(person: str, session: str) -> None:
        if session == visitor.session:
            revoked.set()

    staff.other.sessions.on_revoked.append(gone)
    staff.other.sessions.start()
    async with asyncio.timeout(5):
        while staff.other.sessions.find(visitor.session) is None:
            await asyncio.sleep(0.005)
        await staff.people.accounts.log_out(LOCAL_PERSON, staff.boss.id)
        await revoked.wait()
    assert staff.other.sessions.visitor(secret) is None


async def test_use_in_one_process_keeps_the_session_in_all(staff: Staff) -> None:
    secret, visitor = await staff.people.accounts.login("boss", PASSWORD, "")
    await staff.other.sessions.refresh()
    staff.clock.advance(IDLE.total_seconds() - 60)
    assert staff.people.sessions.visitor(secret) is not None
    await staff.people.sessions.save()
    await staff.other.sessions.refresh()
    staff.clock.advance(120)
    assert staff.other.sessions.is_alive(visitor.session)


async def test_a_database_that_is_away_throws_nobody_out(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = await staff.people.accounts.login("boss", PASSWORD, "")
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()

    def away() -> int:
        loop.call_soon_threadsafe(tried.set)
        raise StorageError("away")

    monkeypatch.setattr("offhook.desk.sessions.POLL_S", 0.001)
    monkeypatch.setattr(staff.people.sessions._rows, "version", away)
    staff.people.sessions.start()
    async with asyncio.timeout(5):
        await tried.wait()
    assert staff.people.sessions.visitor(secret) is not None


# The audit log.


async def test_what_is_done_with_users_is_noted(staff: Staff) -> None:
    accounts, boss = staff.people.accounts, staff.boss.person
    _, visitor = await accounts.login("boss", PASSWORD, "192.0.2.1")
    sara = await accounts.add(boss, "sara", PASSWORD, Role.OPERATOR)
    await accounts.change(boss, sara.id, Changes(role=Role.SUPERVISOR))
    await accounts.set_password(boss, sara.id, "another long password")
    await accounts.log_out(boss, sara.id)
    await accounts.remove(boss, sara.id)
    await accounts.logout(visitor)
    deeds = await staff.deeds()
    assert [action for action, _ in deeds] == [
        "logout",
        "user_removed",
        "user_logged_out",
        "password_changed",
        "user_changed",
        "user_added",
        "login",
        "user_added",
    ]
    assert {person for _, person in deeds[:-1]} == {boss.id}
    assert deeds[-1][1] == LOCAL_PERSON.id
    log = str(await staff.people.audit.page(AuditView(), 100))
    assert PASSWORD not in log
    assert "argon2" not in log
    assert (await staff.people.audit.verify()).whole


async def test_no_note_is_lost_without_a_trace(
    staff: Staff, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The database is locked; the queue fills; when it is free again, the log says what it missed."""
    engine = schema.connect(f"sqlite:///{tmp_path}/offhook.db")
    audit = Audit(engine, staff.clock, queue_size=5)
    locker = engine.connect()
    locker.exec_driver_sql("BEGIN IMMEDIATE")
    loop = asyncio.get_running_loop()
    for number in range(30):
        audit.note(LOCAL_PERSON, "listen", f"call_{number}")
    missed = audit.lost
    assert missed >= 20
    assert "notes of the audit log are lost" in capsys.readouterr().out + caplog.text
    locker.execute(text("ROLLBACK"))
    locker.close()
    await audit.flush()
    audit.note(LOCAL_PERSON, "listen", "call_last")
    await audit.close()
    found = await staff.people.audit.page(AuditView(), 100)
    kept = [entry for entry in found if entry.action == "listen"]
    assert kept[0].call_id == "call_last"
    told = [entry.detail["count"] for entry in found if entry.action == "notes_lost"]
    assert sum(told) == missed  # in one note or, where the writer came in between, in two
    assert len(kept) == 31 - missed
    assert (await staff.people.audit.verify()).whole
    assert loop.is_running()
    engine.dispose()


async def test_old_entries_go_when_the_house_says_so(staff: Staff, tmp_path: Path) -> None:
    engine = schema.connect(f"sqlite:///{tmp_path}/offhook.db")
    clock = ManualClock()
    await staff.people.audit.flush()
    audit = Audit(engine, clock)
    for call in ("call_1", "call_2"):
        audit.note(LOCAL_PERSON, "listen", call)
        await audit.flush()
        clock.advance(86_400 * 8)
    head = (await audit.verify()).head
    for keep_days, left in ((0, ["listen", "listen", "user_added"]), (9, ["audit_trimmed", "listen"])):
        audit.keep_days = keep_days
        audit.start()
        async with asyncio.timeout(5):
            while [one.action for one in await audit.page(AuditView(), 9)] != left:
                await asyncio.sleep(0.01)
    found = await audit.verify(3, head)
    assert (found.whole, found.entries, found.let_go) == (True, 4, 2)
    await audit.close()
    engine.dispose()


async def test_words_that_no_database_takes_are_made_fit(staff: Staff) -> None:
    from offhook.foundation.people import Person

    odd = Person("user_\ud800", "x" * 300 + "\0", Role.OPERATOR)
    staff.people.audit.note(odd, "a" * 99, "call\0", text="\ud83d", n=float(1))
    await staff.people.audit.flush()
    (entry,) = await staff.people.audit.page(AuditView(), 1)
    assert (entry.name, entry.action, entry.call_id) == ("x" * 128, "a" * 32, "call")
    assert staff.people.audit.lost == 0
    assert (await staff.people.audit.verify()).whole


def test_a_deed_has_its_time_place_and_person() -> None:
    deed = Deed(ManualClock().wall(), "user_1", "Sara", Role.OPERATOR, "listen")
    assert (deed.call_id, deed.detail) == ("", {})
