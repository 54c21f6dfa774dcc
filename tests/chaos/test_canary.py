"""Secrets and phone numbers that went through a real server are in no line of its log."""

from __future__ import annotations

import re

from tests.chaos.callers import Console, console_of, media_url, on_the_line, until
from tests.chaos.conftest import Serve

from offhook.cli.caller.clips import Clip
from offhook.cli.caller.line import CallError, connect
from offhook.protocols.signatures import TwilioSignatures

KEYS = {
    "OFFHOOK_API_KEY": "canary-api-key-5b1f0c",
    "TWILIO_AUTH_TOKEN": "ca4a27c0ffee77aa21ca4a27c0ffee77",
    "OPENAI_API_KEY": "sk-canary-model-key-90cd",
    "ELEVENLABS_API_KEY": "canary-voice-key-11fe",
    "LIVEKIT_API_SECRET": "canary-room-secret-42",
}
CALLER, CALLED = "+15550100", "+15550142"
PUBLIC = "https://calls.example.com"
HOOK = "/hooks/twilio/voice"
FORM = {"CallSid": "CAcanary", "From": CALLER, "To": CALLED, "Direction": "inbound"}


async def test_no_secret_no_number_and_no_word_is_logged(serve: Serve) -> None:
    server = serve(OFFHOOK_PUBLIC_URL=PUBLIC, TWILIO_ACCOUNT_SID="AC" + "0" * 32, **KEYS)
    signatures = TwilioSignatures(KEYS["TWILIO_AUTH_TOKEN"])
    bearer = {"Authorization": f"Bearer {KEYS['OFFHOOK_API_KEY']}"}
    async with console_of(server) as console:
        signed = {"X-Twilio-Signature": signatures.sign(PUBLIC + HOOK, FORM.items())}
        answer = await console.http.post(HOOK, data=FORM, headers=signed)
        assert answer.status_code == 200
        token = re.findall(r'name="token" value="([^"]+)"', answer.text)[0]
        forged = await console.http.post(HOOK, data=FORM, headers={"X-Twilio-Signature": "AAAA"})
        assert forged.status_code == 403
        assert (await console.http.get(f"/api/calls?key={KEYS['OFFHOOK_API_KEY']}")).status_code == 401
        try:
            await connect(media_url(server.port), {"token": token})
        except CallError as error:
            assert "403" in str(error)  # noqa: PT017
        calls = (await console.http.get("/api/calls", headers=bearer)).json()["calls"]
        assert calls == []
    server.stop()
    _silent(server.lines, [*KEYS.values(), token])


async def test_a_whole_call_logs_no_word_and_no_number(console: Console, question: Clip) -> None:
    async with on_the_line(console.server.port, **{"from": CALLER, "to": CALLED}) as line:
        [call] = await console.begun()
        await until(lambda: line.playout.quiet_for(line.now) > 1_600, 5, "the greeting was heard")
        heard = line.playout.counts.received
        line.say(question.audio)
        await until(lambda: line.playout.counts.received > heard, 6, "the call is answered")
    row = await console.sealed(call)
    assert (row["caller"], row["called"]) == (CALLER, CALLED)
    events = await console.events(call, "transcript_final")
    words = [event["text"] for event in events if event["text"]]
    assert len(words) >= 2
    assert any("call ended" in line and call in line for line in console.server.lines)
    _silent(console.server.lines, words)


def _silent(lines: list[str], canaries: list[str]) -> None:
    assert any("Started server" in line for line in lines)  # there is a log
    for canary in [*canaries, CALLER, CALLED, CALLER[1:], CALLED[1:]]:
        assert [line for line in lines if canary in line] == []
