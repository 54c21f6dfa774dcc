"""Telephones through Offhook to a fake of OpenAI's Realtime API: are the bytes the same, and what it costs.

Three processes: `offhook serve --engine openai-realtime`, the fake, and this one with the phones.
Times are one machine's monotonic clock, from a phone's send to the vendor's receipt and back, so they hold
both sockets and the reading at both ends: an upper bound of what Offhook adds.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from tests.fakes.openai_realtime import KEY  # noqa: E402
from tests.fakes.openai_realtime_voice import FORMATS, spoken_as  # noqa: E402
from tests.fakes.twilio_phone import Heard, Phone  # noqa: E402
from tests.fakes.voice import encoded  # noqa: E402

from house import House, house  # noqa: E402
from load.machine import family, usage  # noqa: E402

GREETING = "Hello, this is Vera. How can I help you?"
REPLY = "Certainly, we are open until six in the evening, and on Saturdays until four."
ULAW = FORMATS["audio/pcmu"]
QUESTION = encoded("ulaw_8000", 1.0)


class Vendor:
    """The fake in a process of its own."""

    def __init__(self, core: int) -> None:
        command = [sys.executable, "-m", "tests.fakes.openai_realtime"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        os.sched_setaffinity(self._process.pid, {core})
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def tell(self, **changes: Any) -> dict[str, Any]:
        """Change how it behaves; returns what it heard and said so far."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(changes) + "\n")
        self._process.stdin.flush()
        report: dict[str, Any] = json.loads(self._process.stdout.readline())
        return report

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@contextmanager
def running(server_core: int, load_core: int, record: bool) -> Iterator[tuple[House, Vendor]]:
    """A server and a fake that it reaches."""
    os.sched_setaffinity(0, {load_core})
    vendor = Vendor(load_core)
    settings = {
        "OPENAI_API_KEY": KEY,
        "OFFHOOK_OPENAI__URL": vendor.url,
        "OFFHOOK_AGENTS__DEFAULT__GREETING": GREETING,
        "OFFHOOK_LIMITS__CALLS_PER_ADDRESS": "1000",
        "OFFHOOK_RECORD": str(record).lower(),
    }
    try:
        with house("--engine", "openai-realtime", cores=(server_core,), settings=settings) as server:
            yield server, vendor
    finally:
        vendor.stop()


async def converse(phone: Phone, url: str, seconds: float, interrupts: bool) -> None:
    """One call: question and answer by turns, every third answer talked over."""
    line = asyncio.create_task(phone.call(url))
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    await phone.until(lambda: phone.heard and not phone.listens, 20)
    turn = 0
    while loop.time() < until:
        turn += 1
        replies = len(phone.heard)
        phone.say(QUESTION)
        await phone.until(lambda count=replies: len(phone.heard) > count, 20)
        if interrupts and turn % 3 == 0:
            await asyncio.sleep(1.0)  # the next question is asked over this answer
        else:
            await phone.until(lambda: not phone.listens, 20)
            await asyncio.sleep(0.5)
    await phone.until(lambda: not phone.speaks and not phone.listens, 30)
    await asyncio.sleep(1.5)
    phone.hang_up()
    async with asyncio.timeout(10):
        await line


async def crowd(server: House, calls: int, seconds: float, interrupts: bool) -> list[Phone]:
    phones = [Phone(number=number) for number in range(1, calls + 1)]

    async def placed(index: int, phone: Phone) -> None:
        await asyncio.sleep(index * 0.137)
        await converse(phone, server.media, seconds, interrupts)

    await asyncio.gather(*(placed(index, phone) for index, phone in enumerate(phones)))
    return phones


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def summary(values: Sequence[float]) -> str:
    if not values:
        return "–"
    p50, p99 = percentile(values, 0.5) * 1000, percentile(values, 0.99) * 1000
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms (n {len(values)})"


def inward(phones: Sequence[Phone], talks: Sequence[dict[str, Any]]) -> tuple[int, int, list[float]]:
    """Calls whose audio came to the vendor byte by byte, bytes, and the delay of each frame."""
    same = size = 0
    delays: list[float] = []
    for talk in talks:
        count = talk["heard_bytes"]
        for phone in phones:
            if hashlib.sha256(phone.sent[:count]).hexdigest() == talk["heard"]:
                same += 1
                size += count
                first = talk["heard_at"][0]  # frames from before the session was there had to wait for it
                pairs = zip(phone.sent_at, talk["heard_at"], strict=False)
                delays += [came - went for went, came in pairs if went > first]
    return same, size, delays


def outward(phones: Sequence[Phone]) -> tuple[int, int, int]:
    """Utterances heard whole and as generated, those cut short and as generated so far, and others."""
    lines = [spoken_as(text, ULAW) for text in (GREETING, REPLY)]
    whole = cut = other = 0
    for heard in (heard for phone in phones for heard in phone.heard):
        if heard.heard_ms is None and bytes(heard.audio) in lines:
            whole += 1
        elif heard.heard_ms is not None and any(line.startswith(heard.audio) for line in lines):
            cut += 1
        else:
            other += 1
    return whole, cut, other


def first_sounds(phones: Sequence[Phone], talks: Sequence[dict[str, Any]]) -> list[float]:
    """From the first delta of an utterance at the vendor to the first sound at the phone."""
    size = len(spoken_as(REPLY, ULAW))
    starts = sorted(at for talk in talks for at in _starts(talk, size))
    delays = []
    for heard in (heard for phone in phones for heard in phone.heard):
        before = [at for at in starts if at <= heard.began]
        if before:
            delays.append(heard.began - before[-1])
    return delays


def _starts(talk: dict[str, Any], size: int) -> Iterator[float]:
    """When each utterance's first delta was sent."""
    at = 0
    for said in talk["said_deltas"]:
        yield talk["said_at"][at]
        at += said


def streamed(phones: Sequence[Phone], talks: Sequence[dict[str, Any]], delta: int) -> list[float]:
    """Of a vendor that generates in real time: each delta's way to the phone."""
    delays: list[float] = []
    for phone in phones:
        talk = next((talk for talk in talks if _is_of(phone, talk)), talks[0])
        arrivals: list[tuple[float, int]] = []
        size = 0
        for heard in phone.heard:
            arrivals += [(came, size + reached) for came, reached in heard.at]
            size += len(heard.audio)
        whole = iter(arrivals)
        came, reached = next(whole)
        for index, said in enumerate(_ends(talk, delta)):
            while reached < said and reached < size:
                came, reached = next(whole)
            delays.append(came - talk["said_at"][index])
    return delays


def _ends(talk: dict[str, Any], delta: int) -> Iterator[int]:
    """Up to which byte each delta of all utterances reaches."""
    before = 0
    for size, count in zip(talk["said_bytes"], talk["said_deltas"], strict=True):
        yield from (before + min((index + 1) * delta, size) for index in range(count))
        before += size


def _is_of(phone: Phone, talk: dict[str, Any]) -> bool:
    count = talk["heard_bytes"]
    return hashlib.sha256(phone.sent[:count]).hexdigest() == talk["heard"]


def truncations(phones: Sequence[Phone], talks: Sequence[dict[str, Any]]) -> list[float]:
    """Vendor's truncation less what the ear had heard, in ms, per interruption."""
    found = []
    for phone in phones:
        talk = next((talk for talk in talks if _is_of(phone, talk)), None)
        told = [ms for ms in talk["truncated"] if ms is not None] if talk else []
        ears = [heard.heard_ms for heard in phone.heard if heard.heard_ms is not None]
        found += [ms - ear for ms, ear in zip(told, ears, strict=False)]
    return found


def measure(server: House, vendor: Vendor, calls: int, seconds: float) -> dict[str, Any]:
    """One run; prints what it found."""
    skip = len(vendor.tell()["talks"])
    before, began = usage(family(server.pid)), _minutes()
    phones = asyncio.run(crowd(server, calls, seconds, interrupts=True))
    used, minutes = usage(family(server.pid)).cpu - before.cpu, _call_minutes(phones)
    report = vendor.tell()
    talks = report["talks"][skip:]
    same, size, delays = inward(phones, talks)
    whole, cut, other = outward(phones)
    differences = truncations(phones, talks)
    figures = {
        "calls": calls,
        "call_minutes": round(minutes, 2),
        "minutes": round(_minutes() - began, 2),
        "inward_identical": f"{same} of {calls} calls, {size} bytes",
        "outward_identical": f"{whole} whole, {cut} interrupted, {other} different",
        "greetings": sum(bytes(phone.heard[0].audio) == spoken_as(GREETING, ULAW) for phone in phones),
        "inward_delay": summary(delays),
        "first_sound_delay": summary(first_sounds(phones, talks)),
        "cpu_s_per_call_minute": round(used / minutes, 3),
        "truncated_less_heard_ms": _spread(differences),
        "loader_late": summary(_late(phones)),
        "faults": report["faults"],
        "errors": sum(len(talk["errors"]) for talk in talks),
    }
    _show(figures)
    return figures


def stream(server: House, vendor: Vendor, seconds: float) -> dict[str, Any]:
    """A vendor that generates in real time, in deltas of 20 ms: the way of each."""
    skip = len(vendor.tell(pace=1.0, delta_ms=20)["talks"])
    phones = asyncio.run(crowd(server, 1, seconds, interrupts=False))
    talks = vendor.tell(pace=0.0, delta_ms=100)["talks"][skip:]
    figures = {"streamed_delta_delay": summary(streamed(phones, talks, 160))}
    _show(figures)
    return figures


def reconnect(server: House, vendor: Vendor, connect_s: float) -> dict[str, Any]:
    """The silence that a caller hears when the session breaks in the middle of a reply as it is generated."""

    async def call() -> list[Heard]:
        phone = Phone(number=99)
        line = asyncio.create_task(phone.call(server.media))
        await phone.until(lambda: phone.heard and not phone.listens, 20)
        vendor.tell(
            pace=1.2, troubles={"cut": [12_000], "connect_s": connect_s / 2, "configure_s": connect_s / 2}
        )
        phone.say(QUESTION)
        await phone.until(lambda: sum(len(heard.audio) for heard in phone.heard[1:]) > 20_000, 20)
        phone.hang_up()
        await line
        return phone.heard[1:]

    silences = []
    for _ in range(5):
        vendor.tell(pace=0.0, troubles={"connect_s": 0.0, "configure_s": 0.0})
        heard = asyncio.run(call())
        ends = [part.at[0][0] + len(part.audio) / 8000 for part in heard]
        silences.append(max((b.began - end for end, b in zip(ends, heard[1:], strict=False)), default=0.0))
    vendor.tell(pace=0.0, troubles={"connect_s": 0.0, "configure_s": 0.0})
    figures = {
        "connect_and_configure_s": connect_s,
        "silence_s": [round(silence, 2) for silence in silences],
    }
    _show(figures)
    return figures


def _late(phones: Sequence[Phone]) -> list[float]:
    """How much later than 20 ms after the last one each frame left: above 5 ms at p99 the run is void."""
    return [max(0.0, after - before - 0.02) for phone in phones for before, after in pairwise(phone.sent_at)]


def _minutes() -> float:
    return asyncio.new_event_loop().time() / 60


def _call_minutes(phones: Sequence[Phone]) -> float:
    return sum(len(phone.sent) for phone in phones) / 8000 / 60


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    middle = statistics.median(values)
    return f"median {middle:+.1f}, from {min(values):+.1f} to {max(values):+.1f} (n {len(values)})"


def _show(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        print(f"  {name:28} {value}")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--no-record", action="store_true", help="without recordings and their sealing")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with running(options.server_core, options.load_core, not options.no_record) as (server, vendor):
        found: list[dict[str, Any]] = []
        vendor.tell(replies=[REPLY])
        for calls in options.calls:
            print(f"{calls} calls, {options.seconds:g} s")
            found.append(measure(server, vendor, calls, options.seconds))
        print("a vendor that generates in real time")
        found.append(stream(server, vendor, options.seconds / 2))
        print("a session that breaks in the middle of a reply")
        found.append(reconnect(server, vendor, 0.6))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
