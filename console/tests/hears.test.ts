import { describe, expect, it } from "vitest";
import { type Situation, audience, reached, talks, wouldReach } from "../src/desk/hears";
import type { Hears, Mode, SeatInfo, Stance } from "../src/desk/wire";

/** The server's own table (call/modes.py), mode → ear → sources. */
const HEARS: Record<Mode, Hears> = {
  agent: { caller: ["agent"], agent: ["caller"], operator: [], listener: ["caller", "agent"] },
  join: {
    caller: ["agent", "operator"],
    agent: ["caller", "operator"],
    operator: ["caller", "agent", "operator", "coach"],
    listener: ["caller", "agent", "operator"],
  },
  takeover: { caller: ["operator"], agent: [], operator: ["caller", "operator", "coach"], listener: ["caller", "operator"] },
  say: {
    caller: ["agent"],
    agent: ["caller"],
    operator: ["caller", "agent", "operator", "coach"],
    listener: ["caller", "agent"],
  },
  consult: { caller: ["hold_audio"], agent: [], operator: ["operator"], listener: [] },
  hold: { caller: ["hold_audio"], agent: [], operator: [], listener: [] },
  waiting: {},
};
const seat = (stance: Stance, name = "Sara", id = "s1"): SeatInfo => ({ seat: id, leg: "operator", name, stance });
const now = (mode: Mode, stance: Stance, more: Partial<Situation> = {}): Situation => ({
  link: "up",
  mode,
  hears: HEARS[mode],
  seats: [seat(stance)],
  seat: "s1",
  leg: "operator",
  muted: false,
  microphone: true,
  ...more,
});

const BOTH = "The caller and the AI hear you";
const CALLER = "The caller hears you; the AI is silent";
const NOBODY = "Nobody hears you";
const HOLD = "On hold: nobody hears you";
const SAY = "The AI speaks for you; the caller does not hear you";
const TABLE: [Mode, Stance, string, string][] = [
  ["agent", "listen", NOBODY, "private"],
  ["agent", "coach", NOBODY, "private"],
  ["agent", "join", NOBODY, "private"],
  ["agent", "take_over", NOBODY, "private"],
  ["join", "listen", NOBODY, "private"],
  ["join", "coach", NOBODY, "private"],
  ["join", "join", BOTH, "both"],
  ["join", "take_over", BOTH, "both"],
  ["takeover", "listen", NOBODY, "private"],
  ["takeover", "coach", NOBODY, "private"],
  ["takeover", "join", CALLER, "caller"],
  ["takeover", "take_over", CALLER, "caller"],
  ["say", "listen", NOBODY, "private"],
  ["say", "coach", NOBODY, "private"],
  ["say", "join", SAY, "hold"],
  ["say", "take_over", SAY, "hold"],
  ["hold", "listen", HOLD, "hold"],
  ["hold", "coach", HOLD, "hold"],
  ["hold", "join", HOLD, "hold"],
  ["hold", "take_over", HOLD, "hold"],
  ["waiting", "take_over", "Nobody hears you yet", "private"],
];

describe("who can hear me", () => {
  it.each(TABLE)("%s × %s: %s", (mode, stance, words, tone) => {
    expect(audience(now(mode, stance))).toMatchObject({ words, tone });
  });

  it.each(TABLE)("%s × %s with a muted microphone: nobody", (mode, stance) => {
    const silent = audience(now(mode, stance, { muted: true }));
    expect(silent.words).toMatch(/nobody hears you/i);
    expect(silent.tone).not.toMatch(/caller|both/);
    if (talks(stance)) expect(`${silent.words} ${silent.detail}`).toMatch(/you are muted/i);
    if (talks(stance) && reached(now(mode, stance)).includes("caller")) {
      expect(silent).toMatchObject({ tone: "muted", words: "You are muted: nobody hears you" });
      expect(silent.detail).toMatch(/^Unmuted, the caller( and the AI)? would hear you\. /);
    }
    expect(reached(now(mode, stance, { muted: true }))).toEqual([]);
  });

  it.each(TABLE)("%s × %s without a microphone: nobody", (mode, stance) => {
    expect(audience(now(mode, stance, { microphone: false })).words).toMatch(/nobody hears you/i);
  });

  it.each(TABLE)("%s × %s with the socket lost: red, whatever was true before", (mode, stance) => {
    const lost = audience(now(mode, stance, { link: "lost" }));
    expect(lost).toMatchObject({ tone: "lost", words: "Connection lost: nobody hears you" });
    expect(lost.detail.includes("gives the caller back")).toBe(stance === "take_over");
    expect(audience(now(mode, stance, { link: "connecting" })).words).toContain("nobody hears you yet");
    expect(audience(now(mode, stance, { link: "over" }))).toMatchObject({ tone: "over", words: "The call has ended: nobody hears you" });
    expect(audience(now(mode, stance, { link: "over", shutOut: true })).words).toBe("You are not on this call: nobody hears you");
  });

  it("says whom the mute key would let hear, by name, though the server routes a muted seat to nobody", () => {
    for (const mode of Object.keys(HEARS) as Mode[]) {
      for (const stance of ["listen", "coach", "join", "take_over"] as Stance[]) {
        const ears = Object.keys(HEARS[mode]).filter((ear) => HEARS[mode][ear as "caller"]?.includes("operator"));
        const known = talks(stance) ? ears.filter((ear) => ear === "caller" || ear === "agent") : [];
        expect(wouldReach(mode, stance)).toEqual(known);
      }
    }
    const routed: Hears = { caller: [], agent: [], operator: ["caller"], listener: ["caller"] };
    const seats = [{ ...seat("take_over"), muted: true }, seat("listen", "Omar", "s2")];
    const muted = audience(now("takeover", "take_over", { hears: routed, seats, muted: true }));
    expect(muted.detail).toBe("Unmuted, the caller and Omar would hear you. You hear the caller.");
    expect(audience(now("say", "take_over", { muted: true })).detail).toContain("the caller would not hear you either");
    expect(audience(now("agent", "listen", { muted: true })).detail).toContain("Your microphone is muted.");
    expect(audience(now("hold", "take_over", { muted: true })).detail).toContain("You are muted");
  });

  it("follows the server's routing, not the stance that was wished for", () => {
    const wished = now("takeover", "take_over", { hears: { caller: ["agent"], agent: ["caller"] } });
    expect(audience(wished).words).toBe(NOBODY);
    const odd = now("takeover", "take_over", { hears: { caller: ["agent", "operator"] } });
    expect(audience(odd).words).toBe("The caller hears you and the AI");
    expect(audience(now("join", "join", { hears: { agent: ["operator"] } })).words).toBe(
      "The AI hears you; the caller does not",
    );
  });

  it("knows a supervisor by the own leg", () => {
    const hears: Hears = { caller: ["supervisor"], supervisor: ["caller"] };
    const found = audience(now("takeover", "take_over", { hears, leg: "supervisor" }));
    expect(found.words).toBe(CALLER);
    expect(found.detail).toContain("You hear the caller.");
  });

  it("names what is heard and the colleagues who hear too", () => {
    const sorted = { hears: { listener: ["agent", "caller"] } as Hears };
    expect(audience(now("agent", "listen", sorted)).detail).toBe("You hear the caller and the AI.");
    const two = { seats: [seat("take_over"), seat("listen", "Omar", "s2")] };
    expect(audience(now("takeover", "take_over", two)).detail).toBe(
      "You hear the caller and your coach (only you do). Omar hears you too.",
    );
    expect(audience(now("agent", "coach")).detail).toContain("The AI reads what you instruct.");
  });
});
