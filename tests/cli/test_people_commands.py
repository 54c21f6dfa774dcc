"""`offhook user` and `offhook audit` on a real folder, with passwords by standard input or a terminal."""

from __future__ import annotations

import getpass
import sqlite3
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from offhook.cli import main
from offhook.cli.checks import Mark, check_api_key
from offhook.desk import passwords
from offhook.foundation.errors import OffhookError
from offhook.settings import Settings

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, said: str = PASSWORD + "\n") -> Result:
    return CliRunner().invoke(main.app, words, input=said)


def refused(*words: str, said: str = PASSWORD + "\n") -> str:
    """Why it was."""
    error = run(*words, said=said).exception
    assert isinstance(error, OffhookError), error
    return error.reason


def test_users_come_and_go() -> None:
    assert "first user" in refused("user", "add", "sara")
    assert (
        "may log in as admin" in run("user", "add", "boss", "--role", "admin", "--shown", "The Boss").output
    )
    run("user", "add", "sara", "--agent", "sales", "--agent", "support")
    listed = run("user", "list").output
    assert "The Boss" in listed
    assert "sales, support" in listed
    assert "of that name" in refused("user", "add", "SARA")
    assert "last admin" in refused("user", "disable", "boss")
    assert run("user", "disable", "Sara").exit_code == 0
    assert "disabled" in run("user", "list").output
    assert run("user", "disable", "sara", "--undo").exit_code == 0
    assert "disabled" not in run("user", "list").output
    assert run("user", "password", "sara", said="another long password\n").exit_code == 0
    assert "last admin" in refused("user", "remove", "boss")
    run("user", "remove", "sara")
    assert "last admin" in refused("user", "remove", "boss")
    assert run("user", "remove", "boss", "--last").exit_code == 0
    assert "no user of that name" in refused("user", "remove", "boss")


@pytest.mark.parametrize("said", ["", "\n", "short\n", "sara-qureshi\n"])
def test_passwords_that_are_refused(said: str) -> None:
    assert "password" in refused("user", "add", "sara-qureshi", "--role", "admin", said=said)


def test_a_password_is_no_argument() -> None:
    assert run("user", "add", "boss", PASSWORD).exit_code == 2
    assert run("user", "add", "boss", "--password", PASSWORD).exit_code == 2


def test_at_a_terminal_it_is_typed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from offhook.cli import people

    class Terminal:
        def isatty(self) -> bool:
            return True

    typed = iter([PASSWORD, PASSWORD, PASSWORD, "something else"])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(typed))
    monkeypatch.setattr(people.sys, "stdin", Terminal())
    assert people._new_password() == PASSWORD
    with pytest.raises(OffhookError, match="differ"):
        people._new_password()


def test_the_doctor_knows_that_people_log_in(home: Path) -> None:
    public = Settings(public_url="https://calls.example", data=home / "data")
    (before,) = check_api_key(public)
    run("user", "add", "boss", "--role", "admin")
    (after,) = check_api_key(public)
    assert (before.mark, after.mark) == (Mark.WRONG, Mark.GOOD)


def test_a_folder_without_a_database_is_not_made_by_looking(home: Path) -> None:
    for words in (("user", "list"), ("audit", "verify"), ("user", "remove", "boss")):
        assert "no database" in refused(*words)
    assert not (home / "data").exists()


def test_the_log_is_verified_against_what_was_noted(home: Path) -> None:
    run("user", "add", "boss", "--role", "admin")
    head = run("audit", "verify").output.split()[-1]
    assert head.startswith("1:")
    run("user", "add", "sara")
    assert "2 entries" in run("audit", "verify", "--head", head).output
    assert "ENTRIES:HASH" in refused("audit", "verify", "--head", "x")
    rows = sqlite3.connect(home / "data" / "offhook.db")
    name = rows.execute("SELECT name, detail FROM audit WHERE seq=1").fetchone()
    assert name[0].endswith("at the command line")
    assert PASSWORD not in name[1]
    rows.executescript("DROP TRIGGER audit_no_update; UPDATE audit SET action='x' WHERE seq=2")
    rows.close()
    broken = run("audit", "verify")
    assert broken.exit_code == 1
    assert "at entry 2" in broken.output
