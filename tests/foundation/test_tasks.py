"""Deadlines, named tasks and background tasks."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from offhook.foundation.tasks import BackgroundTasks, DeadlineError, deadline, spawn


async def test_spawned_tasks_carry_their_name_and_give_their_result() -> None:
    async def work() -> int:
        return 7

    async with asyncio.TaskGroup() as group:
        task = spawn(group, work(), "seven")
    assert (task.get_name(), task.result()) == ("seven", 7)


async def test_a_block_in_time_is_left_alone() -> None:
    async with deadline(1, "too late"):
        await asyncio.sleep(0)


async def test_a_late_block_raises_the_reason() -> None:
    with pytest.raises(DeadlineError) as raised:
        async with deadline(0.001, "the vendor did not answer in time"):
            await asyncio.Event().wait()
    assert raised.value.reason == "the vendor did not answer in time"
    assert raised.value.retryable


async def test_a_timeout_of_the_block_itself_is_no_missed_deadline() -> None:
    with pytest.raises(TimeoutError, match="inner"):
        async with deadline(1, "outer"):
            raise TimeoutError("inner")


async def test_cancelling_from_outside_stays_a_cancellation() -> None:
    async def work() -> None:
        async with deadline(10, "late"):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failed_background_task_is_logged_and_forgotten() -> None:
    tasks = BackgroundTasks("tests")

    async def fail() -> None:
        raise ValueError("broken")

    with capture_logs() as logs:
        task = tasks.start(fail(), "failing")
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert len(tasks) == 0
    assert [(log["event"], log["task"]) for log in logs] == [("a background task failed", "tests: failing")]
    await tasks.close()


async def test_close_cancels_what_runs_and_refuses_what_comes() -> None:
    tasks = BackgroundTasks("tests")
    task = tasks.start(asyncio.Event().wait(), "waiting")
    await tasks.close()
    assert task.cancelled()
    with pytest.raises(RuntimeError, match="tests is closed"):
        tasks.start(asyncio.Event().wait(), "late")


async def test_close_gives_the_grace_it_promises() -> None:
    tasks = BackgroundTasks("tests")
    done: list[int] = []

    async def short() -> None:
        await asyncio.sleep(0.01)
        done.append(1)

    tasks.start(short(), "short")
    await tasks.close(grace=1)
    assert done == [1]
