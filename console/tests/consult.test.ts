import { describe, expect, it } from "vitest";
import { consultOf } from "../src/desk/consult";
import { audience } from "../src/desk/hears";
import type { Entry, SeatInfo, Stance } from "../src/desk/wire";
import { consults, take } from "../src/floor/operator";

const entry = (kind: string, fields: Record<string, unknown>): Entry => ({ kind, seq: 1, media_ms: 0, ...fields }) as Entry;
const briefing = {
  language: "en",
  caller: "Mona",
  agent: "default",
  seconds: 10,
  calls_before: 0,
  reason: "a refund",
  intent: "",
  said: [],
  promises: [],
  entities: [],
  mood: "",
  summary: "",
};

describe("a warm transfer", () => {
  it("stands where the timeline says", () => {
    expect(consultOf([])).toBeNull();
    const told = [
      entry("consult", { id: "w1", state: "declined", name: "Ann" }),
      entry("consult", { id: "w2", state: "briefing", name: "Bob", seat: "s2" }),
      entry("consult_briefing", { id: "w2", card: briefing }),
      entry("consult_said", { id: "w2", human: false, text: "A call from Mona." }),
      entry("consult_said", { id: "w2", human: true, text: "Why?" }),
      entry("consult_said", { id: "w1", human: false, text: "of another" }),
    ];
    const found = consultOf(told);
    expect(found).toMatchObject({ id: "w2", seat: "s2", over: false, answers: ["A call from Mona."] });
    expect(found?.briefing?.caller).toBe("Mona");
    const over = consultOf([...told, entry("consult", { id: "w2", state: "connected", name: "Bob" })]);
    expect(over).toMatchObject({ over: true, word: "Bob has the call" });
    expect(over?.briefing?.caller).toBe("Mona");
  });

  it("rings until it is over", () => {
    take({ type: "consult", id: "w1", call_id: "call_x", seconds: 20, by: "", briefing });
    take({ type: "consult", id: "w1", call_id: "call_x", seconds: 20, by: "", briefing });
    expect(consults.value.length).toBe(1);
    take({ type: "consult_over", id: "w1", call_id: "call_x", why: "timeout" });
    expect(consults.value.length).toBe(0);
  });

  it("says in the strip that no caller hears who is told, nor who waits with them", () => {
    const seat = (id: string, stance: Stance): SeatInfo => ({ seat: id, leg: "operator", name: id, stance });
    const seats = [seat("s1", "take_over"), seat("s2", "consult")];
    const hears = { caller: ["hold_audio" as const], operator: ["coach" as const, "operator" as const] };
    const now = { link: "up" as const, mode: "consult" as const, hears, seats, leg: "operator", muted: false, microphone: true };
    const told = audience({ ...now, seat: "s2" });
    expect(told.words).toContain("the caller does not");
    expect(told.detail).toContain("hold audio");
    expect(audience({ ...now, seat: "s1" }).words).toBe("Your colleague hears you; the caller does not");
    expect(audience({ ...now, seat: "s2", muted: true }).words).toBe("Nobody hears you");
  });
});
