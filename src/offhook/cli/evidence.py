"""`offhook evidence`: exports a call's package from the data directory, and verifies one. Asks no server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offhook.foundation.errors import OffhookError, SettingsError

if TYPE_CHECKING:
    from offhook.desk.evidence.verify import Report
    from offhook.settings import Settings

evidence = typer.Typer(help="Evidence of a call: export it, verify it.", no_args_is_help=True)

ALTERED, OTHER_KEY, UNREADABLE = 1, 3, 4


@evidence.command("export")
def export(
    call_id: Annotated[str, typer.Argument(help="Which call.")],
    file: Annotated[Path, typer.Argument(help="Where the package goes; it must not exist.")],
    config: Annotated[Path | None, typer.Option(help="Settings file (offhook.toml).")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory, instead of the settings'.")] = None,
) -> None:
    """Write everything that is kept of an ended call to one signed ZIP."""
    import asyncio

    from offhook.settings import load

    settings = load({"data": data})
    size = asyncio.run(_export(settings, call_id, file))
    typer.echo(f"{file}: {size:,} bytes")


async def _export(settings: Settings, call_id: str, file: Path) -> int:
    import asyncio

    from offhook.desk.audit import Audit
    from offhook.desk.evidence.desk import EvidenceDesk
    from offhook.foundation.clock import SystemClock
    from offhook.foundation.people import LOCAL_PERSON
    from offhook.storage.recordings import Tapes
    from offhook.storage.sql import SqlStore

    if settings.database is None and not (settings.data / "offhook.db").is_file():
        raise SettingsError(f"there is no database in {settings.data}")
    clock = SystemClock()
    store = await asyncio.to_thread(SqlStore, settings.database_url)
    tapes = Tapes(settings.data / "recordings", store, lambda call_id, reason: None, clock)
    audit = Audit(store.engine, clock)
    try:
        desk = EvidenceDesk(store, tapes, audit, settings.data, clock)
        audit.note(LOCAL_PERSON, "export", call_id, by="command")
        package = await desk.package(call_id, LOCAL_PERSON)
        await asyncio.to_thread(_write, file, package.chunks())
        return package.size
    finally:
        await audit.close()
        await tapes.close()
        await store.close()


def _write(file: Path, chunks: object) -> None:
    """Whole or not at all."""
    from collections.abc import Iterator
    from typing import cast

    try:
        with open(file, "xb") as out:
            try:
                for chunk in cast("Iterator[bytes]", chunks):
                    out.write(chunk)
            except BaseException:
                file.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise OffhookError(f"{file} cannot be written: {error.strerror}") from None


@evidence.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="A package of evidence.")],
    key: Annotated[
        str, typer.Option(help="The public key that you expect: a PEM file, or its fingerprint.")
    ] = "",
) -> None:
    """Say whether a package is as it was exported. Exit codes: 0 whole; 1 altered; 2 wrong usage; 3 whole,
    but signed with another key than --key; 4 no package of evidence, or not readable."""
    from offhook.desk.evidence.reading import UnreadableError
    from offhook.desk.evidence.verify import expected_key
    from offhook.desk.evidence.verify import verify as check

    try:
        fingerprint = expected_key(key) if key else ""
    except (OSError, ValueError):
        raise SettingsError("--key is neither a file with an Ed25519 public key nor a fingerprint") from None
    try:
        report = check(file, fingerprint)
    except UnreadableError as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(UNREADABLE) from None
    except OSError as error:
        typer.echo(f"{file} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(UNREADABLE) from None
    raise typer.Exit(_tell(file, report))


def _tell(file: Path, report: Report) -> int:
    for finding in report.findings:
        typer.echo(f"{finding.fault.value.upper():10} {finding.member or '(the package)'}: {finding.text}")
    if report.call_id:
        typer.echo(f"call       {report.call_id}, {report.members} members")
    if report.key is not None:
        typer.echo(f"signed by  {report.key.fingerprint}")
    if not report.whole:
        typer.echo(f"{file}: ALTERED", err=True)
        return ALTERED
    if report.trusted is False:
        typer.echo(f"{file}: WHOLE, BUT SIGNED WITH ANOTHER KEY than the one you expect", err=True)
        return OTHER_KEY
    if report.trusted is None:
        typer.echo(
            "WARNING    the key is the package's own word: whoever alters a package can sign it with a key "
            "of theirs.\n           Ask the node's owner for the fingerprint and give it with --key.",
            err=True,
        )
    typer.echo(f"{file}: whole" + (", signed with the key that you expect" if report.trusted else ""))
    return 0
