"""Loads any server that speaks Twilio Media Streams with N calls and writes what it saw as JSON.

    python bench/loader.py --url ws://127.0.0.1:8080/media/twilio --calls 50 --speech speech/*.ulaw

What is measured, in a window that opens once all calls are up and warm:
  latency       last frame of speech sent -> first `media` received; a turn without it in time is unanswered
  interruption  first frame of speech sent over a reply -> `clear` received
  pacing        spacing of `media` messages, how far ahead of real time they run, stretches with nothing
                to hear in the middle of a reply (underruns: those over 40 ms)
  server        CPU and memory of --server-pid with its children
  loader        its own lateness: a run whose late_ms.p99 passes a few ms is void
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import uvloop

from load.figures import figures, line
from load.generator import Generator
from load.plan import Plan, read_voices


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60, help="length of the window")
    parser.add_argument(
        "--speech", type=Path, nargs="+", required=True, help="sound files, an utterance each"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--server-pid", type=int)
    parser.add_argument("--label", default="")
    parser.add_argument("--silence", type=float, default=4.0, help="seconds between two turns")
    parser.add_argument("--silence-only", action="store_true")
    parser.add_argument("--interrupt-every", type=int, default=4, help="every k-th turn, 0 for never")
    parser.add_argument("--ramp", type=float, default=10, help="new calls a second")
    parser.add_argument("--warm", type=float, default=8.0)
    parser.add_argument("--drain", type=float, default=4.0)
    parser.add_argument("--param", action="append", default=[], help="a custom parameter, NAME=VALUE")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    plan = Plan(
        url=given.url,
        calls=given.calls,
        seconds=given.seconds,
        label=given.label,
        silence=given.silence,
        speak=not given.silence_only,
        interrupt_every=given.interrupt_every,
        ramp=given.ramp,
        warm=given.warm,
        drain=given.drain,
        seed=given.seed,
        parameters=dict(each.split("=", 1) for each in given.param),
    )
    voices = read_voices(given.speech, given.seed)
    result = figures(uvloop.run(Generator(plan, voices, given.server_pid).run()))
    text = json.dumps(result, indent=1) + "\n"
    if given.json is not None:
        given.json.write_text(text)
    else:
        print(text)
    print(line(result), file=sys.stderr)


if __name__ == "__main__":
    main()
