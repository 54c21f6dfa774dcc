"""Whether the agents can speak with the chosen providers, and the database is whole. Changes neither."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from offhook.cli.checks import Check, Mark
from offhook.desk.clips import ClipShelf
from offhook.engines.base import EngineFactory
from offhook.engines.duplex import DuplexFactory
from offhook.engines.trial import try_agent
from offhook.foundation.agent import Agent
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import NotFoundError, OffhookError, ProviderError, StorageError
from offhook.providers import make_engines
from offhook.settings import Settings

_DATABASE = "offhook.db"


def check_agents(settings: Settings) -> Iterator[Check]:
    """One line for each agent that its engine refuses (a language, a voice), as the start would."""
    yield from asyncio.run(_agents(settings))


async def _agents(settings: Settings) -> list[Check]:
    try:
        engines = make_engines(settings, SystemClock())
    except (OffhookError, ImportError, OSError, RuntimeError, ValueError) as error:
        finding = " ".join(str(error).split())[:200] or type(error).__name__
        return [Check("agents", Mark.WRONG, f"no engine to try them with: {finding}", "see the lines above")]
    try:
        tried = [await _agent(name, agent, settings, engines) for name, agent in settings.agents.items()]
    finally:
        for engine in engines.values():
            await engine.close()
    wrong = [check for check in tried if check is not None]
    names = ", ".join(settings.agents)
    return wrong or [Check("agents", Mark.GOOD, f"their languages and voices are known: {names}")]


async def _agent(
    name: str, agent: Agent, settings: Settings, engines: Mapping[str, EngineFactory | DuplexFactory]
) -> Check | None:
    factory = engines[agent.engine or settings.engine]
    try:
        await try_agent(factory, agent)
    except ProviderError as error:
        advice = "change its language or voice, or the provider in [speech]"
        return Check(f"agents.{name}", Mark.WRONG, error.reason, advice)
    return None


def check_hold(settings: Settings) -> Iterator[Check]:
    """The clip that callers hear who wait, where one is chosen."""
    name = settings.hold_audio
    if not name:
        return
    try:
        clip = ClipShelf(settings.data / "clips").get(name)
    except (NotFoundError, StorageError) as error:
        advice = "make it in the console's playground, or choose another; until then it is the usual notes"
        yield Check("hold_audio", Mark.WRONG, f"{name}: {error.reason}", advice)
    else:
        yield Check("hold_audio", Mark.GOOD, f"the clip {name}, {clip.note.seconds:.1f} s")


def check_database(settings: Settings) -> Iterator[Check]:
    """Reads the whole database and writes nothing; a running server is not disturbed."""
    if settings.database is not None:
        yield _server_check(settings.database_url)
        return
    path = (settings.data / _DATABASE).absolute()
    if not path.exists():
        yield Check("database", Mark.GOOD, "none yet; the first start makes it")
        return
    advice = f"stop Offhook and restore {settings.data / _DATABASE} from a backup, or move it away"
    try:
        found = _quick_check(path)
    except sqlite3.Error as error:
        yield Check("database", Mark.WRONG, f"{settings.data / _DATABASE}: {error}", advice)
        return
    if found == "ok":
        yield Check("database", Mark.GOOD, f"{settings.data / _DATABASE} is whole")
    else:
        yield Check("database", Mark.WRONG, f"{settings.data / _DATABASE} is damaged: {found}", advice)


def has_users(settings: Settings) -> bool:
    """Whether somebody may log in; writes nothing."""
    if settings.database is not None:
        return _asked(settings.database_url, "SELECT count(*) FROM users") not in ("", "0")
    path = (settings.data / _DATABASE).absolute()
    try:
        return path.exists() and _ask(path, "SELECT count(*) FROM users") != "0"
    except sqlite3.Error:
        return False


def _server_check(url: str) -> Check:
    if _asked(url, "SELECT 1"):
        return Check("database", Mark.GOOD, "the PostgreSQL server answers")
    advice = "look at its address, the database's name and the password; pip install 'offhook[postgres]'"
    return Check("database", Mark.WRONG, "the PostgreSQL server cannot be asked", advice)


def _asked(url: str, question: str) -> str:
    """The first value of the answer of a database server; nothing where there is none."""
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from offhook.storage.schema import connect

    try:
        engine = connect(url)
    except OffhookError:
        return ""
    try:
        with engine.connect() as connection:
            return str(connection.execute(text(question)).scalar_one())
    except SQLAlchemyError:
        return ""
    finally:
        engine.dispose()


def _quick_check(path: Path) -> str:
    return _ask(path, "PRAGMA quick_check(1)")


def _ask(path: Path, question: str) -> str:
    # Without a write-ahead log nobody has it open, and reading it as immutable leaves no files beside it.
    alone = not path.with_name(path.name + "-wal").exists()
    connection = sqlite3.connect(path.as_uri() + ("?mode=ro&immutable=1" if alone else "?mode=ro"), uri=True)
    try:
        (first,) = connection.execute(question).fetchone()
    finally:
        connection.close()
    return " ".join(str(first).split())
