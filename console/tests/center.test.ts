import { describe, expect, it } from "vitest";
import { abilities, waitWord } from "../src/pages/queues";
import { targetWord, trial } from "../src/pages/routing";
import { detail } from "../src/parts/timeline";
import { eventWord } from "../src/words";

describe("routing", () => {
  it("sends what was filled in, as the API takes it", () => {
    const filled = { number: "+15550100", caller: "", sentiment: "-0.5", load: "", returning: "yes", variables: "tier=gold, x, city = Riyadh" };
    expect(trial(filled)).toEqual({
      number: "+15550100",
      sentiment: -0.5,
      returning: true,
      variables: { tier: "gold", city: "Riyadh" },
    });
    expect(trial({ returning: "" })).toEqual({});
  });

  it("says where calls go", () => {
    expect(targetWord("agent:sales")).toBe("agent sales");
    expect(targetWord("number:sip:desk@example.com")).toBe("number sip:desk@example.com");
    expect(targetWord("voicemail")).toBe("voicemail");
    expect(targetWord("agent")).toBe("the agent that was asked for");
  });
});

describe("queues", () => {
  it("says how long it takes", () => {
    expect(waitWord(-1)).toMatch(/nobody/);
    expect(waitWord(20)).toBe("less than a minute");
    expect(waitWord(245)).toBe("about 4 min");
  });

  it("reads what somebody can do", () => {
    expect(abilities("billing, refunds | ar, en")).toEqual({ skills: ["billing", "refunds"], languages: ["ar", "en"] });
    expect(abilities("|ar")).toEqual({ skills: [], languages: ["ar"] });
    expect(abilities("")).toEqual({ skills: [], languages: [] });
  });
});

describe("the timeline", () => {
  const at = { seq: 1, media_ms: 0 };
  it("knows what routing and queues add to it", () => {
    expect(detail({ ...at, kind: "route", target: "agent:ar", rule: "arabic", why: "the language is ar" })).toBe(
      "To agent:ar, rule arabic: the language is ar",
    );
    expect(detail({ ...at, kind: "handed_over", source: "a", target: "b", voice_changed: true })).toBe("a → b, another voice");
    expect(detail({ ...at, kind: "unqueued", outcome: "overflow", waited_ms: 61_000, target: "voicemail" })).toBe(
      "Overflow after 1:01, to voicemail",
    );
    for (const kind of ["route", "handed_over", "queued", "queue_rang", "queue_missed", "unqueued", "call_back_asked"])
      expect(eventWord(kind)).not.toContain("_");
  });
});
