"""Desks of one operator's ear, closed after the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.desk.ear_stage import Desk


@pytest.fixture
async def make_desk() -> Any:
    desks: list[Desk] = []

    def make(*args: Any, **more: Any) -> Desk:
        desks.append(Desk(*args, zero=0.0, **more))  # virtual time begins with the test
        return desks[-1]

    yield make
    for desk in desks:
        await desk.close()


@pytest.fixture
async def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
