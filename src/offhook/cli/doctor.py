"""`offhook doctor`: runs the checks and prints them, one line each. What is checked is in `checks.py`."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
    online: Annotated[bool, typer.Option("--online", help="Call the vendors; costs nothing.")] = False,
) -> None:
    """Check this machine and its settings; each line says what to do. Exit code 1 when something is wrong."""
    import dataclasses

    from rich.console import Console
    from rich.text import Text

    from offhook.cli.checks import Mark, run_checks
    from offhook.foundation import log

    log.configure("warning")  # to stderr: what is printed here is the checks
    wrong = False
    results = []
    console = Console()
    for check in run_checks(online):
        wrong = wrong or check.mark is Mark.WRONG
        results.append(dataclasses.asdict(check))
        if not json:
            style = {Mark.GOOD: "green", Mark.NOTE: "yellow", Mark.WRONG: "red"}[check.mark]
            line = Text.assemble((f"{check.mark.value} ", style), (f"{check.name}: ", "bold"), check.finding)
            if check.advice:
                line.append(f" → {check.advice}")
            console.print(line, soft_wrap=True)
    if json:
        import json as encoder

        typer.echo(encoder.dumps(results, indent=2, ensure_ascii=False))
    raise typer.Exit(1 if wrong else 0)
