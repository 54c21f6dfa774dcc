"""The `offhook` command: its verbs, and how failures end. Imports little, so that `--help` is quick."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from offhook import __version__
from offhook.cli.call import call
from offhook.cli.doctor import doctor
from offhook.cli.evidence import evidence
from offhook.cli.models import models
from offhook.cli.people import audit, user
from offhook.cli.route import route
from offhook.cli.serve import serve
from offhook.foundation.errors import OffhookError, SettingsError

app = typer.Typer(
    name="offhook",
    help="Offhook answers calls: phone and browser, with an AI agent that needs no keys.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(call)
app.command()(doctor)
app.command()(route)
app.add_typer(models, name="models")
app.add_typer(user, name="user")
app.add_typer(audit, name="audit")
app.add_typer(evidence, name="evidence")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"offhook {__version__}")


def _show_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def _root(
    show: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Options before the verb."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong settings or usage, 130 interrupted."""
    try:
        app()
    except OffhookError as error:
        print(f"offhook: {error.reason}", file=sys.stderr)
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
