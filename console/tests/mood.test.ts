// Sentiment in words and lines, and which alerts are news.

import { describe, expect, it } from "vitest";
import type { TimelineEvent } from "../src/api";
import type { FloorCall } from "../src/desk/wire";
import { moodSentence, moodsByTurn, news, points, scoreWord, standing, trendWord, voiceSentence } from "../src/floor/mood";

const alert = (id: string) => ({ id, rule: "Unhappy caller", level: "high" as const, text: "sentiment −0.8", page: false });
const call = (call_id: string, ...ids: string[]) => ({ call_id, alerts: ids.map(alert) }) as unknown as FloorCall;

describe("words", () => {
  it("says a score with its sign, and nothing of next to nothing", () => {
    expect([-0.44, 0.31, 0.04, -0.04, 1].map(scoreWord)).toEqual(["−0.4", "+0.3", "0", "0", "+1.0"]);
  });
  it("says where it is going", () => {
    expect([-0.2, 0, 0.2].map((trend) => trendWord(trend).word)).toEqual(["falling", "steady", "rising"]);
  });
  it("says all of it to those who do not see the line", () => {
    const sentiment = { score: -0.62, trend: -0.2, emotion: "agitated", scores: [] };
    expect(moodSentence(sentiment)).toBe("Agitated, sentiment −0.6, falling");
  });
  it("says how the voice was", () => {
    expect(voiceSentence({ pitch_st: 3.14, level_db: -4.2, rate: 1.24 })).toContain("3.1 semitones higher, 4 dB softer, 1.2");
    expect(voiceSentence({})).toBe("");
    expect(voiceSentence(undefined)).toBe("");
  });
});

describe("the line", () => {
  it("goes from −1 at the bottom to 1 at the top, and keeps within", () => {
    expect(points([-1, 1], 100, 24)).toBe("2.0,22.0 98.0,2.0");
    expect(points([-9, 9, 0], 100, 24)).toBe("2.0,22.0 50.0,2.0 98.0,12.0");
  });
  it("of one score is flat", () => {
    expect(points([0], 100, 24)).toBe("2.0,12.0 98.0,12.0");
  });
});

describe("a kept call", () => {
  it("has its moods by turn", () => {
    const events = [
      { kind: "sentiment", seq: 1, media_ms: 0, turn: 2, turn_score: -0.7, emotion: "unhappy", voice: {} },
      { kind: "notice", seq: 2, media_ms: 0, text: "x" },
    ] as TimelineEvent[];
    expect([...moodsByTurn(events)]).toEqual([[2, { score: -0.7, emotion: "unhappy", voice: "" }]]);
  });
});

describe("alerts", () => {
  it("are news once, and not what stood when the page was opened", () => {
    const told = new Set<string>();
    expect(news(standing([call("a", "1")]), told, true)).toEqual([]);
    const next = news(standing([call("a", "1", "2"), call("b", "3")]), told, false);
    expect(next.map(({ call, alert }) => `${call.call_id}${alert.id}`)).toEqual(["a2", "b3"]);
    expect(news(standing([call("b", "3")]), told, false)).toEqual([]);
  });
  it("of a server without them are none", () => {
    expect(standing([{ call_id: "a" } as FloorCall])).toEqual([]);
  });
});
