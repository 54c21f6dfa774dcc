"""Workers: results, batches, refusals, deadlines, cancellation, failures, and an orderly end."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Sequence

import pytest

from offhook.foundation.errors import ProviderError
from offhook.speech.pool import Ticket, Workers, finished


class Gate:
    """Work that waits for the test to open it, and remembers its batches."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, tickets: Sequence[Ticket[int, int]]) -> None:
        self.batches.append([ticket.item for ticket in tickets])
        self.entered.set()
        assert self.opened.wait(5)
        for ticket in tickets:
            ticket.resolve(ticket.item * 2)


def named(prefix: str) -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(prefix)]


async def entered(gate: Gate) -> None:
    await asyncio.to_thread(gate.entered.wait, 5)


async def test_results_come_back_to_the_loop_and_close_ends_the_threads() -> None:
    gate = Gate()
    gate.opened.set()
    workers: Workers[int, int] = Workers("doubler", gate, threads=2)
    assert len(named("offhook-doubler")) == 2
    assert await asyncio.gather(*(workers.run(n, 5) for n in range(20))) == [2 * n for n in range(20)]
    await workers.close()
    await workers.close()
    assert not named("offhook-doubler")
    with pytest.raises(ProviderError, match="is closed") as refused:
        await workers.run(1, 5)
    assert not refused.value.retryable


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux alone")
async def test_polite_threads_give_way() -> None:
    def niceness(tickets: Sequence[Ticket[int, int]]) -> None:
        for ticket in tickets:
            ticket.resolve(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    found = []
    for polite in (False, True):
        workers: Workers[int, int] = Workers("test", niceness, polite=polite)
        found.append(await workers.run(0, 5))
        await workers.close()
    assert found[1] > found[0]


async def test_what_waits_is_taken_as_one_batch_up_to_its_limit() -> None:
    gate = Gate()
    workers: Workers[int, int] = Workers("batcher", gate, batch=3)
    assert workers.idle
    first = asyncio.ensure_future(workers.run(0, 5))
    await entered(gate)
    assert not workers.idle
    others = [asyncio.ensure_future(workers.run(n, 5)) for n in range(1, 6)]
    await asyncio.sleep(0)
    gate.opened.set()
    assert await asyncio.gather(first, *others) == [0, 2, 4, 6, 8, 10]
    assert gate.batches == [[0], [1, 2, 3], [4, 5]]
    await workers.close()


async def test_a_full_queue_refuses_at_once() -> None:
    gate = Gate()
    workers: Workers[int, int] = Workers("full", gate, waiting=1)
    loop = asyncio.get_running_loop()
    kept = [workers.submit(0, loop)]
    await entered(gate)
    kept.append(workers.submit(1, loop))
    with pytest.raises(ProviderError, match="too much work") as refused:
        workers.submit(2, loop)
    assert refused.value.retryable
    gate.opened.set()
    assert [await finished(ticket, 5, "full") for ticket in kept] == [0, 2]
    await workers.close()


async def test_a_late_result_is_given_up_and_the_cancelled_never_begin() -> None:
    gate = Gate()
    workers: Workers[int, int] = Workers("late", gate)
    first = workers.submit(0, asyncio.get_running_loop())
    await entered(gate)
    with pytest.raises(ProviderError, match=r"took longer than 0\.01 s"):
        await workers.run(1, 0.01)
    first.future.cancel()
    await asyncio.sleep(0)
    assert first.gone
    gate.opened.set()
    assert await workers.run(2, 5) == 4
    assert gate.batches == [[0], [2]]
    await workers.close()


async def test_failures_become_provider_errors_and_the_worker_lives_on() -> None:
    def work(tickets: Sequence[Ticket[str, str]]) -> None:
        match tickets[0].item:
            case "raise":
                raise RuntimeError("secret detail")
            case "refuse":
                raise ProviderError("odd", "will not", retryable=False)
            case "forget":
                return
        tickets[0].resolve("done")
        tickets[0].resolve("twice")

    workers: Workers[str, str] = Workers("odd", work)
    with pytest.raises(ProviderError, match=r"odd: failed \(RuntimeError\)$"):
        await workers.run("raise", 5)
    with pytest.raises(ProviderError, match="will not"):
        await workers.run("refuse", 5)
    with pytest.raises(ProviderError, match="gave no result"):
        await workers.run("forget", 5)
    assert await workers.run("good", 5) == "done"
    await workers.close()


async def test_close_fails_what_waits_and_finishes_what_runs() -> None:
    gate = Gate()
    workers: Workers[int, int] = Workers("closing", gate)
    running = workers.submit(3, asyncio.get_running_loop())
    await entered(gate)
    waiting = workers.submit(4, asyncio.get_running_loop())
    closing = asyncio.ensure_future(workers.close())
    with pytest.raises(ProviderError, match="was closed"):
        await waiting.future
    gate.opened.set()
    await closing
    assert running.future.result() == 6


def test_a_loop_that_ended_meanwhile_does_no_harm() -> None:
    gate = Gate()
    workers: Workers[int, int] = Workers("orphan", gate)
    loop = asyncio.new_event_loop()
    workers.submit(1, loop)
    assert gate.entered.wait(5)
    loop.close()
    gate.opened.set()
    asyncio.run(workers.close())
    assert not named("offhook-orphan")
