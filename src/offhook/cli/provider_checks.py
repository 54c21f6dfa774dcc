"""Whether the chosen vendors have their keys and, when asked to call them, answer. Says nothing of models."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from offhook.cli.checks import Check, Mark
from offhook.settings import Settings
from offhook.settings.keys import VENDOR_HOSTS, chosen, llm_endpoint, missing_keys


def check_providers(settings: Settings) -> Iterator[Check]:
    """One line for each choice of a vendor, or of a provider that lacks what it needs."""
    missing = {(path, name): advice for path, name, advice in missing_keys(settings)}
    for path, name in chosen(settings):
        setting = ".".join(path)
        if advice := missing.get((path, name)):
            yield Check(setting, Mark.WRONG, f"{name} lacks what it needs", advice)
        elif name in VENDOR_HOSTS:
            yield Check(setting, Mark.GOOD, f"{name} at {_host(settings, path[-1], name)} (not called now)")


def _host(settings: Settings, setting: str, vendor: str) -> str:
    is_model = setting.startswith("llm") and vendor == "openai"
    address = llm_endpoint(settings)[0] if is_model else getattr(settings, vendor).url
    return urlsplit(address).netloc
