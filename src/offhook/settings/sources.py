"""Where settings come from: flags, environment, `.env`, `offhook.toml`, defaults, in that order."""

from __future__ import annotations

import json
import os
import tomllib
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource
from pydantic_settings import SettingsError as UnreadableError

from offhook.foundation.errors import SettingsError
from offhook.settings.faults import Layer, describe, describe_key, inner, nearest, suggestion
from offhook.settings.keys import key_faults
from offhook.settings.models import Settings
from offhook.settings.names import PREFIX, own_names

TOML = "offhook.toml"
DOTENV = ".env"
KNOWN_ELSEWHERE = {"OFFHOOK_MODELS"}
"""Names that are no settings: the folder of pulled models is read by `speech.models`."""


def load(
    overrides: Mapping[str, Any] | None = None,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from all sources; `overrides` (the flags) is nested like the settings; None is left out.

    Raises SettingsError whose reason is one line: the setting, its value (secrets masked), what is allowed.
    """
    folder = cwd or Path.cwd()
    layers = [
        Layer("command line", _without_none(overrides or {})),
        _names_layer("environment", os.environ if environ is None else environ),
        _names_layer(DOTENV, _dotenv(folder / DOTENV)),
        Layer(TOML, _toml(folder / TOML)),
    ]
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        merged = _merge(merged, layer.values)
    _only_agent_is_default(merged)
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        raise SettingsError(describe(error, layers)) from None
    _check_default_agent(settings, "default_agent" in merged)
    for fault in key_faults(settings):
        raise SettingsError(describe_key(fault, layers))
    return settings


def _check_default_agent(settings: Settings, given: bool) -> None:
    if settings.default_agent in settings.agents:
        return
    names = ", ".join(sorted(settings.agents))
    if given:
        raise SettingsError(
            f'default_agent = "{settings.default_agent}" is not allowed: one of the agents {names}'
        )
    raise SettingsError(
        f"default_agent is missing: set it to the agent that answers when a caller names none, one of {names}"
    )


def secret_values(settings: Settings) -> tuple[str, ...]:
    """The plain values of every secret that is set, for the log's redaction and nothing else."""
    return tuple(_secrets(settings))


def _secrets(model: BaseModel) -> Iterator[str]:
    for name in type(model).model_fields:
        yield from _secret(getattr(model, name))


def _secret(value: Any) -> Iterator[str]:
    match value:
        case SecretStr() if value.get_secret_value():
            yield value.get_secret_value()
        case BaseModel():
            yield from _secrets(value)
        case dict():
            for item in value.values():
                yield from _secret(item)


def _names_layer(source: str, names: Mapping[str, str]) -> Layer:
    """The settings among environment names; empty values count as not set."""
    found: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for name, value in names.items():
        upper = name.upper()
        if upper in KNOWN_ELSEWHERE:
            continue
        try:
            ours = own_names(name, value)
        except ValueError as error:
            raise SettingsError(f"{name} ({source}) is not allowed: {error}") from None
        if upper.startswith(PREFIX):
            _known(upper, source)
        for canonical, own in ours:
            if own and (canonical == upper or canonical not in names):
                found[canonical.lower()] = own
                spelled[canonical[len(PREFIX) :].lower().replace("__", ".")] = name
    return Layer(source, _explode(found, source), spelled)


def _known(name: str, source: str) -> None:
    top, *rest = name[len(PREFIX) :].split("__")
    if top.lower() not in Settings.model_fields:
        raise SettingsError(f"{name} ({source}) is no setting{_near_name(top, rest)}")


def _near_name(top: str, rest: list[str]) -> str:
    """What the user may have meant: a section spelled right, or a setting whose section was left out."""
    if near := nearest(top.lower(), Settings.model_fields):
        return f"; did you mean {'__'.join([PREFIX + near.upper(), *rest])}?"
    whole = "_".join([top, *rest]).lower()
    for section, field in Settings.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            for name in inner.model_fields:
                if whole in (name, f"{section}_{name}"):
                    return f"; did you mean {PREFIX}{section.upper()}__{name.upper()}?"
    return suggestion(top.lower(), Settings.model_fields)


def _explode(names: dict[str, str], source: str) -> dict[str, Any]:
    reader = EnvSettingsSource(Settings, env_prefix=PREFIX, env_nested_delimiter="__")
    for name, value in names.items():
        if _type(name) in (list[str], list[str] | None) and not value.lstrip().startswith("["):
            names[name] = json.dumps([part.strip() for part in value.split(",") if part.strip()])
    reader.env_vars = names
    try:
        return reader()
    except UnreadableError as error:
        field = str(error).split('"')[1] if '"' in str(error) else "a setting"
        whole = f"{PREFIX}{field}".lower()
        name = next(
            (name for name in names if name.startswith(f"{whole}__") and _is_broken(name, names)), whole
        )
        raise SettingsError(
            f"{name.upper()} ({source}) is not allowed: JSON, or its parts one by one as {name.upper()}__NAME"
        ) from None


def _type(name: str) -> Any:
    """The type of the setting with this environment name, in lower case; None for what is no setting."""
    owner: Any = Settings
    try:
        for part in name[len(PREFIX) :].split("__"):
            owner = inner(owner, part)
    except KeyError:
        return None
    return owner


def _is_broken(name: str, names: Mapping[str, str]) -> bool:
    """Whether this should be a list or table in JSON, and is no JSON."""
    kind = _type(name)
    if typing.get_origin(kind) not in (list, dict) and not hasattr(kind, "__dataclass_fields__"):
        return False
    try:
        json.loads(names[name])
    except (ValueError, RecursionError):
        return True
    return False


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        return {name: value or "" for name, value in dotenv_values(path, encoding="utf-8").items()}
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path} cannot be read: it must be UTF-8 text that this user may read") from None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return TomlConfigSettingsSource(Settings, path)()
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_broken(path, error)) from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path} cannot be read: it must be UTF-8 text that this user may read") from None


def _broken(path: Path, error: tomllib.TOMLDecodeError) -> str:
    text = " ".join(str(error).split())
    reason, _, place = text.partition(" (at ")
    line = "".join(c for c in place.partition("line ")[2].partition(",")[0] if c.isdigit())
    if not line:
        line = str(path.read_text(encoding="utf-8").count("\n") + 1)
    return f"{path}, line {line}: this is no valid TOML: {reason[:1].lower()}{reason[1:]}"


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_none(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None
    }


def _merge(low: dict[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for name, value in high.items():
        below = merged.get(name)
        merged[name] = (
            _merge(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else value
        )
    return merged


def _only_agent_is_default(merged: dict[str, Any]) -> None:
    """One agent, named in no `default_agent`: it answers."""
    agents = merged.get("agents")
    if "default_agent" not in merged and isinstance(agents, dict) and len(agents) == 1:
        merged["default_agent"] = next(iter(agents))
