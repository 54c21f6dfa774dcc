import { describe, expect, it } from "vitest";
import type { TurnRecord } from "../src/api";
import { detail } from "../src/parts/timeline";
import { bars, scale } from "../src/parts/waterfall";
import { worthShowing } from "../src/parts/providers";
import { calledBefore, clock, endLabel, endWord, eventWord, languageName, latencies, latency, moment, providerState, providerWord } from "../src/words";

describe("times", () => {
  it("reads as a clock", () => {
    expect(clock(7_400)).toBe("0:07");
    expect(clock(7_449, true)).toBe("0:07.4");
    expect(clock(59_990, true)).toBe("0:59.9");
    expect(clock(3_753_000)).toBe("1:02:33");
    expect(clock(-5)).toBe("0:00");
  });

  it("reads latencies", () => {
    expect(latency(389.6)).toBe("390 ms");
    expect(latency(1240)).toBe("1.24 s");
    expect(latency(null)).toBe("–");
  });

  it("reads two latencies with one unit where they share it", () => {
    expect(latencies(365, 377)).toBe("365 / 377 ms");
    expect(latencies(365, 1377)).toBe("365 ms / 1.38 s");
    expect(latencies(1100, 1377)).toBe("1.10 / 1.38 s");
    expect(latencies(null, null)).toBe("–");
  });

  it("tells how often somebody called before", () => {
    const now = new Date("2026-03-02T18:00:00");
    const at = moment("2026-03-01T14:05:00", now);
    expect(calledBefore(1, "2026-03-01T14:05:00", now)).toBe(`Called once before, last on ${at}`);
    expect(calledBefore(2, "2026-03-02T14:05:00", now)).toMatch(/^Called twice before, last today at /);
    expect(calledBefore(3, "2026-03-01T14:05:00", now)).toMatch(/^Called 3 times before/);
    expect(calledBefore(1000, "2026-03-01T14:05:00", now)).toMatch(/over 1,000 times/);
  });

  it("leaves the day out today", () => {
    const now = new Date(2026, 4, 3, 12);
    expect(moment(new Date(2026, 4, 3, 9).toISOString(), now)).not.toMatch(/May/);
    expect(moment(new Date(2026, 4, 2, 9).toISOString(), now)).toMatch(/May/);
    expect(moment("never", now)).toBe("–");
  });
});

describe("reasons", () => {
  it("has words for known ones and reads unknown ones", () => {
    expect(endWord("agent_hung_up")).toBe("The agent hung up.");
    expect(endLabel("peer_lost")).toBe("Connection lost");
    expect(endLabel("some_new_reason")).toBe("Some new reason");
    expect(endLabel(null)).toBe("");
  });
});

describe("the waterfall", () => {
  const parts = { endpoint_ms: 300, transcript_ms: 350, first_token_ms: 340, first_audio_ms: 400 };

  it("lays the stages end to end, never backwards", () => {
    expect(bars(parts).map(({ from, to }) => [from, to])).toEqual([
      [0, 300],
      [300, 350],
      [350, 350],
      [350, 400],
    ]);
  });

  it("has a round scale that holds bars and measured gaps", () => {
    const turn = { waterfall: parts, gap_ms: 980 } as TurnRecord;
    expect(scale([turn])).toBe(1200);
    expect(scale([{ ...turn, gap_ms: null }])).toBe(600);
    expect(scale([{ ...turn, gap_ms: 30_000 }])).toBe(32_000);
  });
});

describe("the timeline", () => {
  it("shows unknown events by their own fields", () => {
    expect(detail({ kind: "brand_new", seq: 1, media_ms: 0, call_id: "x", some_field: 3 })).toBe("some field 3");
    expect(detail({ kind: "brand_new", seq: 1, media_ms: 0, card: { a: [1] } })).toBe('card {"a":[1]}');
  });

  it("has words for a warm transfer", () => {
    const at = { seq: 1, media_ms: 0 };
    expect(detail({ ...at, kind: "consult", id: "1", state: "timed_out", name: "Omar", why: "no answer" })).toBe("Timed out: Omar, no answer");
    expect(detail({ ...at, kind: "consult_briefing", id: "1", source: "model", card: { reason: "a refund" } })).toBe("a refund");
    expect(detail({ ...at, kind: "consult_said", id: "1", human: true, text: "Which day?" })).toBe("Asked: Which day?");
    for (const kind of ["consult", "consult_briefing", "consult_said", "room_tape"]) expect(eventWord(kind)).not.toContain("_");
  });
});

describe("languages", () => {
  it("are named in English, or by their code", () => {
    expect(languageName("ar")).toBe("Arabic");
    expect(languageName("pt-BR")).toBe("Brazilian Portuguese");
    expect(languageName("not a code")).toBe("not a code");
  });
});

describe("providers", () => {
  it("are named by whose they are and what they do", () => {
    expect(providerWord({ kind: "tts", provider: "elevenlabs" })).toBe("ElevenLabs voice");
    expect(providerWord({ kind: "stt", provider: "deepgram" })).toBe("Deepgram recognizer");
    expect(providerState("down")).toBe("down, left aside");
    expect(providerState("some_new_state")).toBe("some_new_state");
  });

  it("are shown where there is a choice or a fault", () => {
    const one = (kind: "stt" | "llm" | "tts", provider: string, state: "up" | "down" = "up") => ({
      kind, provider, state, failures: 0, rescues: 0, reason: "",
    });
    expect(worthShowing([])).toBe(false);
    expect(worthShowing([one("stt", "moonshine"), one("tts", "hibari")])).toBe(false);
    expect(worthShowing([one("stt", "moonshine"), one("tts", "openai", "down")])).toBe(true);
    expect(worthShowing([one("tts", "openai"), one("tts", "hibari")])).toBe(true);
  });
});
