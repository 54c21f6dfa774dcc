"""The page on settings and the example file say what there is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pydantic

from offhook.foundation.agent import Agent, Facts, Patience, Question, Service
from offhook.settings import Settings, load


def _fields(model: type[pydantic.BaseModel]) -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, pydantic.BaseModel):
            names += [f"`{name}`", *([] if name == "elevenlabs" else _fields(inner))]
        elif name != "agents":
            names.append(f"`{name}`")
    return names


def test_the_documentation_knows_every_setting() -> None:
    root = Path(__file__).parent.parent
    page = (root / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in _fields(Settings) if name not in page] == []
    agent = {f.name for kind in (Agent, Facts, Service, Question, Patience) for f in dataclasses.fields(kind)}
    assert [name for name in agent - {"name", "facts", "patience"} if f"`{name}`" not in page] == []


def test_the_example_is_right(tmp_path: Path) -> None:
    example = (Path(__file__).parent.parent / "offhook.example.toml").read_text(encoding="utf-8")
    (tmp_path / "offhook.toml").write_text(example, encoding="utf-8")
    assert load(cwd=tmp_path, environ={}).default_agent == "clinic"
