"""`offhook user` and `offhook audit`: who may log in, and whether the log is whole. Opens the rows itself.

A server that runs sees the change within seconds. Passwords are typed, or come by standard input; never as an
argument, which other users of the machine can read.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from offhook.foundation.errors import NotFoundError, RefusedError
from offhook.foundation.people import EVERY_AGENT, Person, Role

if TYPE_CHECKING:
    from offhook.desk.people import People
    from offhook.storage.people import UserRecord

T = TypeVar("T")
_SOON = "A server that runs on this folder knows it in a few seconds."

user = typer.Typer(help="Users of the console: add, list, disable, remove them.", no_args_is_help=True)
audit = typer.Typer(help="The audit log: who did what.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name that the user logs in with.")]
Data = Annotated[Path | None, typer.Option(help="Folder for calls and recordings (./data).")]


@user.command("add")
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.OPERATOR,
    shown: Annotated[str, typer.Option(help="What others see; the name, if it is empty.")] = "",
    agent: Annotated[
        list[str] | None, typer.Option(help="An agent whose calls are assigned to an operator; else all.")
    ] = None,
    data: Data = None,
) -> None:
    """Add a user; asks for the password. The first must be an admin."""
    agents = tuple(agent) if agent else (EVERY_AGENT,)

    async def work(people: People) -> UserRecord:
        return await people.accounts.add(_by(), name, _new_password(), role, shown, agents)

    made = _with_people(data, work, make=True)
    typer.echo(f"{made.name} may log in as {made.role}. {_SOON}")


@user.command("list")
def show(data: Data = None) -> None:
    """Show all users."""
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "role", "shown as", "agents", "last login", "", box=None, pad_edge=False)
    for one in _with_people(data, lambda p: p.accounts.users()):
        last = f"{one.last_login_at:%Y-%m-%d %H:%M} UTC" if one.last_login_at else "never"
        agents = "all" if EVERY_AGENT in one.agents else ", ".join(one.agents)
        table.add_row(one.name, one.role, one.shown, agents, last, "disabled" if one.disabled else "")
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)


@user.command("disable")
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let the user log in again.")] = False,
    data: Data = None,
) -> None:
    """Log a user out everywhere, and let them in no more."""
    from offhook.desk.accounts import Changes

    async def work(people: People) -> None:
        found = await _named(people, name)
        await people.accounts.change(_by(), found.id, Changes(disabled=not undo))

    _with_people(data, work)
    typer.echo(f"{name} {'may log in again' if undo else 'may log in no more'}. {_SOON}")


@user.command("password")
def password(name: Name, data: Data = None) -> None:
    """Give a user a new password, and log them out everywhere."""

    async def work(people: People) -> None:
        found = await _named(people, name)
        await people.accounts.set_password(_by(), found.id, _new_password())

    _with_people(data, work)
    typer.echo(f"{name} has a new password.")


@user.command("remove")
def remove(
    name: Name,
    last: Annotated[
        bool, typer.Option("--last", help="Also the last user: the console is then open as before users.")
    ] = False,
    data: Data = None,
) -> None:
    """Remove a user for good; what they did stays in the audit log."""

    async def work(people: People) -> None:
        found = await _named(people, name)
        await people.accounts.remove(_by(), found.id, also_last=last)

    _with_people(data, work)
    typer.echo(f"{name} is removed. {_SOON}")


@audit.command("verify")
def verify(
    head: Annotated[
        str, typer.Option(help="ENTRIES:HASH as it was printed before: the log must still begin with that.")
    ] = "",
    data: Data = None,
) -> None:
    """Check that the audit log is as it was written. Exit code 1 when it is not."""
    at, wanted = _anchor(head)
    found = _with_people(data, lambda people: people.audit.verify(at, wanted))
    if not found.whole:
        typer.echo(f"The audit log is not whole: at entry {found.broken_at}: {found.reason}.", err=True)
        raise typer.Exit(1)
    gone = f" (the first {found.let_go} are let go)" if found.let_go else ""
    typer.echo(f"The audit log is whole: {found.entries} entries{gone}. Head {found.entries}:{found.head}")


def _anchor(head: str) -> tuple[int, str]:
    if not head:
        return 0, ""
    count, _, digest = head.partition(":")
    if not count.isdecimal() or len(digest) != 64:
        raise RefusedError("--head is ENTRIES:HASH, as `offhook audit verify` prints it")
    return int(count), digest


def _by() -> Person:
    """Whoever can write the database is an admin already."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        name = "somebody"
    return Person("command-line", f"{name} at the command line", Role.ADMIN)


def _new_password() -> str:
    """Asked for twice where there is a terminal, else the first line of standard input."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline().rstrip("\r\n")
        if not line:
            raise RefusedError("a password is typed, or comes by standard input")
        return line
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise RefusedError("the two passwords differ")
    return first


async def _named(people: People, name: str) -> UserRecord:
    wanted = name.casefold()
    for one in await people.accounts.users():
        if one.name.casefold() == wanted:
            return one
    raise NotFoundError("there is no user of that name")


def _with_people(data: Path | None, work: Callable[[People], Awaitable[T]], make: bool = False) -> T:
    """What `work` gives, on the database of this folder; `make` one where none is. Raises OffhookError."""
    from offhook.desk.people import open_people
    from offhook.foundation import log
    from offhook.foundation.clock import SystemClock
    from offhook.settings import load
    from offhook.storage.schema import connect, upgrade

    settings = load({"data": data})
    log.configure("error", settings.log_format, ())
    if settings.database is None and not make and not (settings.data / "offhook.db").exists():
        raise NotFoundError(f"there is no database in {settings.data}; --data names another folder")
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = connect(settings.database_url)

    async def run() -> T:
        people = open_people(engine, SystemClock(), timedelta(hours=1), timedelta(hours=1))
        try:
            return await work(people)
        finally:
            await people.close()

    try:
        upgrade(engine)
        return asyncio.run(run())
    finally:
        engine.dispose()
