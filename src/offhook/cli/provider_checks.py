"""Whether the chosen vendors have their keys and, when asked to call them, answer. Says nothing of models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from offhook.cli.checks import Check, Mark
from offhook.foundation.errors import OffhookError
from offhook.providers import vendors
from offhook.settings import Settings
from offhook.settings.keys import VENDOR_HOSTS, chosen, llm_endpoint, missing_keys

_DEADLINE_S = 6.0
_MAKERS: dict[str, Callable[[str, Settings, bool], Any]] = {
    "stt": vendors.stt,
    "tts": vendors.tts,
    "llm": vendors.llm,
    "llm_fallback": vendors.llm,
    "provider": vendors.tts,
    "brain": vendors.llm,
}


def check_providers(settings: Settings, online: bool = False) -> Iterator[Check]:
    """One line for each choice of a vendor, or of a provider that lacks what it needs. `online` calls them:
    they are asked for something that costs nothing."""
    missing = {(path, name): advice for path, name, advice in missing_keys(settings)}
    for path, name in chosen(settings):
        setting = ".".join(path)
        if advice := missing.get((path, name)):
            yield Check(setting, Mark.WRONG, f"{name} lacks what it needs", advice)
        elif name in VENDOR_HOSTS:
            where = f"{name} at {_host(settings, path[-1], name)}"
            yield _called(setting, name, where, settings) if online else _uncalled(setting, where)


def _uncalled(setting: str, where: str) -> Check:
    return Check(setting, Mark.GOOD, f"{where} (not called; --online does)")


def _called(setting: str, name: str, where: str, settings: Settings) -> Check:
    began = time.monotonic()
    try:
        asyncio.run(_probe(_MAKERS[setting.rpartition(".")[2]], name, settings))
    except OffhookError as error:
        return Check(setting, Mark.WRONG, f"{where}: {error.reason}", "check its key and address")
    except TimeoutError:
        return Check(setting, Mark.WRONG, f"{where} does not answer", "check its address")
    return Check(setting, Mark.GOOD, f"{where} is well, in {(time.monotonic() - began) * 1000:.0f} ms")


async def _probe(make: Callable[[str, Settings, bool], Any], name: str, settings: Settings) -> None:
    """Raises OffhookError, TimeoutError."""
    provider = make(name, settings, True)
    try:
        async with asyncio.timeout(_DEADLINE_S):
            await provider.probe()
    finally:
        await provider.close()


def _host(settings: Settings, setting: str, vendor: str) -> str:
    is_model = setting.startswith("llm") and vendor == "openai"
    address = llm_endpoint(settings)[0] if is_model else getattr(settings, vendor).url
    return urlsplit(address).netloc
