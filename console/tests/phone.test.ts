import { describe, expect, it } from "vitest";
import { floorSign } from "../src/parts/call-state";
import { codecOf, isNear, waysFor, wishOf } from "../src/phone/link";
import { QualityMeter } from "../src/phone/quality";
import { type Line, withMessage } from "../src/phone/transcript";
import { type TranscriptMessage, isOlder, readFrame, readMessage, writeHeader } from "../src/phone/wire";

describe("the ways of a call", () => {
  it("begins with what was asked for and has the other one left", () => {
    expect(waysFor("websocket", true)).toEqual(["websocket", "webrtc"]);
    expect(waysFor("webrtc", true)).toEqual(["webrtc", "websocket"]);
    expect(waysFor("auto", true)).toEqual(["webrtc", "websocket"]);
  });

  it("has only the socket where this page may have no sound", () => {
    expect(waysFor("webrtc", false)).toEqual(["websocket"]);
  });

  it("knows no other wishes", () => {
    expect(["webrtc", "websocket", "auto", "livekit", "", null].map(wishOf)).toEqual([
      "webrtc",
      "websocket",
      "auto",
      null,
      null,
      null,
    ]);
  });
});

describe("the audio header", () => {
  it("reads what it writes", () => {
    const message = new ArrayBuffer(8 + 640);
    writeHeader(message, 2, 123_456);
    expect(readFrame(message)).toMatchObject({ codec: 2, epoch: 0, atMs: 123_456 });
    expect(readFrame(message)?.payload.byteLength).toBe(640);
  });

  it("is little-endian, as the protocol says", () => {
    const bytes = Uint8Array.from([1, 0, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 9, 9]);
    expect(readFrame(bytes.buffer)).toMatchObject({ codec: 1, epoch: 0x1234, atMs: 0x12345678 });
  });

  it("refuses what has no payload, and text that is no message", () => {
    expect(readFrame(new ArrayBuffer(8))).toBeNull();
    expect(readMessage("{")).toBeNull();
    expect(readMessage("[1]")).toBeNull();
    expect(readMessage('{"type":"pong","id":1}')).toEqual({ type: "pong", id: 1 });
  });

  it("orders epochs across the wrap", () => {
    expect(isOlder(1, 2)).toBe(true);
    expect(isOlder(2, 2)).toBe(false);
    expect(isOlder(0xffff, 0)).toBe(true);
    expect(isOlder(0, 0xffff)).toBe(false);
  });
});

describe("the live transcript", () => {
  const said = (part: Partial<TranscriptMessage>): TranscriptMessage => ({
    type: "transcript",
    speaker: "caller",
    turn: 1,
    text: "",
    final: false,
    ...part,
  });
  const after = (...messages: Partial<TranscriptMessage>[]) =>
    messages.reduce<Line[]>((lines, message) => withMessage(lines, said(message)), []);

  it("replaces the caller's partials and keeps the line's place", () => {
    const lines = after(
      { text: "what" },
      { speaker: "agent", turn: 2, text: "Hello" },
      { text: "what time", final: true },
    );
    expect(lines.map((line) => [line.speaker, line.text, line.final])).toEqual([
      ["caller", "what time", true],
      ["agent", "Hello", false],
    ]);
  });

  it("puts the caller's words before the reply that began while they were still being recognized", () => {
    const lines = after(
      { speaker: "agent", turn: 0, text: "Hello.", final: true },
      { speaker: "agent", turn: 1, text: "We open at nine." },
      { turn: 1, text: "when do you open", final: true },
    );
    expect(lines.map((line) => line.key)).toEqual(["agent-0", "caller-1", "agent-1"]);
  });

  it("appends the agent's clauses, then shows what was heard and what was not", () => {
    const agent = { speaker: "agent" as const };
    expect(after({ ...agent, text: "We open at nine," }, { ...agent, text: "and close at six." })[0]?.text).toBe(
      "We open at nine, and close at six.",
    );
    const [line] = after(
      { ...agent, text: "We open at nine, and close" },
      { ...agent, text: "We open at nine,", final: true, interrupted: true, unheard: "and close" },
    );
    expect(line).toMatchObject({ text: "We open at nine,", unheard: "and close", interrupted: true, final: true });
  });

  it("ignores a partial that comes after its final, and drops an empty final", () => {
    expect(after({ text: "yes", final: true }, { text: "ye" })[0]?.text).toBe("yes");
    expect(after({ text: "uh" }, { text: "", final: true })).toEqual([]);
  });
});

describe("the connection's quality", () => {
  const trips = (...values: number[]) => {
    const meter = new QualityMeter();
    values.forEach((value, i) => meter.pong(meter.ping(i * 1000), i * 1000 + value));
    return meter;
  };

  it("says good, fair and poor by round trip", () => {
    expect(trips(20, 22, 21).report(3000, 0)).toMatchObject({ roundTripMs: 21, grade: "good" });
    expect(trips(200, 210).report(3000, 0).grade).toBe("fair");
    expect(trips(600, 600).report(3000, 0).grade).toBe("poor");
    expect(new QualityMeter().report(0, 0).grade).toBe("unknown");
  });

  it("judges recent underruns only", () => {
    const meter = trips(20);
    expect(meter.report(1000, 0).grade).toBe("good");
    expect(meter.report(2000, 2).grade).toBe("fair");
    expect(meter.report(3000, 9).grade).toBe("poor");
    expect(meter.report(20_000, 9).grade).toBe("good");
  });

  it("is poor when pings are not answered, and forgets them on a new connection", () => {
    const meter = trips(20);
    meter.ping(1000);
    expect(meter.silence(6000)).toBe(5000);
    expect(meter.report(6000, 0).grade).toBe("poor");
    meter.reset();
    expect(meter.silence(6000)).toBe(0);
  });
});

describe("the sign of the call's state", () => {
  it("puts muted above everything and tells a text call to type", () => {
    expect(floorSign("listening", true, true)).toMatchObject({ sentence: "The agent cannot hear you." });
    expect(floorSign("listening", false, false).sentence).toBe("Type what you want to say.");
    expect(floorSign("listening", false, true).word).toBe("Listening");
  });
});

describe("isNear", () => {
  it("knows this machine and private networks", () => {
    const near = ["localhost", "127.0.0.1", "[::1]", "10.1.2.3", "192.168.0.9", "172.16.0.1", "172.31.9.9", "pbx.local", "[fd00::1]"];
    expect(near.filter(isNear)).toEqual(near);
    expect(["example.com", "8.8.8.8", "172.32.0.1", "192.169.0.1", "10.example.com", "[2001:db8::1]"].filter(isNear)).toEqual([]);
  });

  it("is asked only where the page names no codec", () => {
    expect([codecOf("opus"), codecOf("pcm16"), codecOf("mp3"), codecOf(null)]).toEqual(["opus", "pcm16", "best", "best"]);
  });
});
