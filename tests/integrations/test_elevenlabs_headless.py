"""The example, in a process in which no sound library can be imported, is heard both ways."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.fakes.elevenlabs import AGENT, KEY, FakeAgents
from tests.fakes.likeness import likeness
from tests.fakes.voice import at_rate, seconds_for
from tests.integrations.callers import browser

from offhook.audio.convert import to_samples
from offhook.audio.frame import WIDEBAND, Encoding

EXAMPLE = Path(__file__).parents[2] / "examples" / "elevenlabs_conversation.py"
WITHOUT_SOUND = """
import runpy, sys

SOUND = {"pyaudio", "_portaudio", "sounddevice", "_sounddevice", "alsaaudio", "pulsectl", "simpleaudio"}

class NoSound:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in SOUND:
            raise ImportError(f"{name} is not on this machine")

sys.meta_path.insert(0, NoSound())
for name in SOUND:
    try:
        __import__(name)
    except ImportError:
        continue
    raise SystemExit(f"{name} was not blocked")
runpy.run_path(sys.argv[1], run_name="__main__")
loaded = sorted(SOUND & {name.partition(".")[0] for name in sys.modules})
print(f"sound libraries: {loaded}", flush=True)
"""


async def test_a_machine_without_sound(tmp_path: Path) -> None:
    async with FakeAgents().serving() as house:
        names = {"AGENT_ID": AGENT, "ELEVENLABS_API_KEY": KEY, "ELEVENLABS_URL": house.url}
        names |= {"OFFHOOK_PORT": "0", "USE_WEBSOCKET_AUDIO": "true"}
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WITHOUT_SOUND, str(EXAMPLE), cwd=tmp_path, env={**os.environ, **names},
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert program.stdout is not None
        try:
            async with asyncio.timeout(20):
                printed = await _converse(house, program.stdout)
                assert await program.wait() == 0
        finally:
            if program.returncode is None:
                program.kill()
                await program.wait()
    assert house.wrong == []
    assert "agent: Hello, how can I help?" in printed
    assert "caller: caller turn 1" in printed
    assert printed[-1] == "sound libraries: []"


async def _converse(house: FakeAgents, output: asyncio.StreamReader) -> list[str]:
    printed: list[str] = []
    while not (printed and printed[-1].startswith("call here: ")):
        line = await output.readline()
        assert line, printed
        printed.append(line.decode().strip())
    greeting = at_rate(seconds_for(house.first_message), WIDEBAND.rate)
    url = printed[-1].removeprefix("call here: ").removesuffix("/call")
    async with browser(url) as caller:
        await caller.until(lambda: len(caller.heard) >= 2 * len(greeting), 10)
        said = await caller.speaks()
        await caller.until(lambda: said[:-1920] in bytes(house.talk.heard))
        await caller.until(lambda: house.talk.transcripts == 1)
        while not printed[-1].startswith("caller: "):  # the program prints it when its SDK hands it over
            line = await output.readline()
            assert line, printed
            printed.append(line.decode().strip())
        await caller.write("end")
        printed += [line.decode().strip() async for line in output]
    sound = (caller.dropped + caller.heard)[: 2 * len(greeting)]
    heard = likeness(greeting, to_samples(sound, Encoding.PCM16), WIDEBAND.rate)
    print(
        f"the caller heard {WIDEBAND.ms(len(sound)):.0f} ms of the agent, SNR {heard.snr_db:.0f} dB; "
        f"the agent heard {WIDEBAND.ms(len(said)):.0f} ms of the caller, the same bytes"
    )
    assert heard.snr_db > 60
    return printed
