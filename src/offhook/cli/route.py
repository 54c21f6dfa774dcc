"""`offhook route`: what the routing rules would do with a call, and why. Calls nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from offhook.foundation.errors import RefusedError

if TYPE_CHECKING:
    from offhook.center.routing import Decision
    from offhook.center.trial import Verdict

_MARKS = {"fits": "[bold green]fits[/]", "no": "[red]no[/]", "not reached": "[dim]not reached[/]"}


def route(
    number: Annotated[str, typer.Option(help="The number that is called.")] = "",
    caller: Annotated[str, typer.Option(help="The number that calls.")] = "",
    channel: Annotated[str, typer.Option(help="phone, browser, webrtc, livekit, device or text.")] = "phone",
    agent: Annotated[str, typer.Option(help="The agent that the caller asks for.")] = "",
    language: Annotated[str, typer.Option(help="What the caller speaks, like ar.")] = "",
    intent: Annotated[str, typer.Option(help="What the caller wants, like billing.")] = "",
    sentiment: Annotated[float | None, typer.Option(min=-1, max=1, help="The caller's mood.")] = None,
    at: Annotated[str, typer.Option(help='When, like "2026-11-23 21:00" (now).')] = "",
    timezone: Annotated[str, typer.Option(help="Of --at, like Asia/Riyadh (this machine's).")] = "",
    returning: Annotated[bool, typer.Option("--returning", help="The number has called before.")] = False,
    load: Annotated[float, typer.Option(min=0, max=1, help="The share of room that is taken.")] = 0.0,
    sip: Annotated[bool, typer.Option("--sip", help="A caller in a room came by telephone.")] = False,
    variable: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
) -> None:
    """Show where a call would go by the rules in offhook.toml, and why."""
    from offhook.center.conditions import Situation
    from offhook.center.trial import explain, moment
    from offhook.foundation.events import ChannelKind
    from offhook.settings import load as load_settings

    settings = load_settings()
    if channel not in {kind.value for kind in ChannelKind}:
        raise RefusedError("--channel is phone, browser, webrtc, livekit, device or text")
    try:
        when = moment(at, timezone, datetime.now(UTC))
    except ValueError as error:
        raise RefusedError(f"--at, --timezone: {error}") from None
    situation = Situation(
        when,
        number,
        caller,
        channel,
        language,
        intent,
        sentiment,
        returning,
        load,
        dict(_pair(each) for each in variable or ()),
        agent,
        sip,
    )
    decision, rules = explain(settings.routing.table(), situation)
    _show(decision, rules, when, agent or settings.default_agent)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise RefusedError("--variable is NAME=VALUE")
    return name, value


def _show(decision: Decision, rules: list[Verdict], when: datetime, asked: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    console = console if console.is_terminal else Console(width=200)
    if rules:
        table = Table("rule", "asks", "to", "", "why not", box=None, pad_edge=False)
        for rule in rules:
            mark = _MARKS[rule.verdict]
            table.add_row(escape(rule.name), escape(rule.asks), rule.target, mark, escape(rule.why))
        console.print(table)
        console.print()
    to = f"agent:{asked}" if str(decision.target) == "agent" else str(decision.target)
    by = f'rule "{decision.rule}"' if decision.rule else "no rule fits, the default"
    console.print(f"On {when:%a %Y-%m-%d %H:%M %Z}: {escape(to)} ({escape(by)})")
