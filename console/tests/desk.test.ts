import { describe, expect, it } from "vitest";
import { countdown, open, remaining, shown, withCard, withStatus } from "../src/desk/cards";
import { pinned, withSaid } from "../src/desk/lines";
import { backoff, deskUrl } from "../src/desk/socket";
import { EMPTY, mediaNow, received } from "../src/desk/state";
import { coaching, readDesk, readTyped, said } from "../src/desk/read";
import type { Coaching, DeskDown, FloorCall } from "../src/desk/wire";
import { chosenOf, lasted, merged, ordered, urgency } from "../src/floor/attention";
import { destination, readSession } from "../src/session";

const call = (part: Partial<FloorCall>): FloorCall =>
  ({ call_id: "a", attention: 0, started_at: "2026-11-21T08:00:00Z", ...part }) as FloorCall;

describe("the floor", () => {
  it("puts the most needy first, by steps of ten, then the longest call", () => {
    const calls = [
      call({ call_id: "calm", attention: 5 }),
      call({ call_id: "late", attention: 82, started_at: "2026-11-21T08:05:00Z" }),
      call({ call_id: "early", attention: 80, started_at: "2026-11-21T08:01:00Z" }),
      call({ call_id: "watch", attention: 40 }),
    ];
    expect(ordered(calls).map(({ call_id }) => call_id)).toEqual(["early", "late", "watch", "calm"]);
  });

  it("takes the first message for all there are, later ones for changes", () => {
    const floor = (part: object) => ({ type: "floor" as const, calls: [], gone: [], counters: {}, ...part });
    const before = merged(new Map(), floor({ calls: [call({ call_id: "a" }), call({ call_id: "b" })] }), true, 0);
    const after = merged(before, floor({ calls: [call({ call_id: "b", attention: 50 })], gone: ["a"] }), false, 0);
    expect([...after.keys()]).toEqual(["b"]);
    expect(after.get("b")?.attention).toBe(50);
    expect([...merged(after, floor({ calls: [call({ call_id: "c" })] }), true, 0).keys()]).toEqual(["c"]);
  });

  it("keeps the chosen call chosen when another comes before it, and takes the first when it is gone", () => {
    const [calm, urgent] = [call({ call_id: "calm" }), call({ call_id: "urgent", attention: 90 })];
    expect(chosenOf(ordered([calm]), "")?.call_id).toBe("calm");
    expect(chosenOf(ordered([calm, urgent]), "calm")?.call_id).toBe("calm");
    expect(chosenOf([urgent], "calm")?.call_id).toBe("urgent");
    expect(chosenOf([], "calm")).toBeNull();
  });

  it("counts each call on from its own card, whatever is told of the others", () => {
    const floor = (calls: FloorCall[]) => ({ type: "floor" as const, calls, gone: [], counters: {} });
    const before = merged(new Map(), floor([call({ call_id: "held", seconds: 60 }), call({ call_id: "b", seconds: 5 })]), true, 1000);
    const after = merged(before, floor([call({ call_id: "b", seconds: 25 })]), false, 21_000);
    expect(lasted(after.get("held") as FloorCall, 21_500)).toBe(80.5);
    expect(lasted(after.get("b") as FloorCall, 21_500)).toBe(25.5);
    expect(lasted(after.get("b") as FloorCall, 20_900)).toBe(25);
  });

  it("says how needy in a word", () => {
    expect([0, 34, 35, 69, 70, 100].map((n) => urgency(n).tone)).toEqual(["calm", "calm", "watch", "watch", "act", "act"]);
  });
});

describe("messages of the desk's socket", () => {
  it("reads what is whole, and drops garbage alone", () => {
    expect(readDesk("{")).toBeNull();
    expect(readDesk('{"type":7}')).toBeNull();
    expect(readDesk('{"type":"ai_coaching"}')).toBeNull();
    expect(readDesk('{"type":"event","entry":{}}')).toBeNull();
    expect(readTyped("null")).toBeNull();
    expect(readDesk('{"type":"mode"}')).toEqual({ type: "mode", mode: "agent", holder: "", hears: {}, seats: [] });
    expect(readDesk('{"type":"ai_coaching","id":"c","warning":null,"confidence":7}')).toMatchObject({
      id: "c",
      warning: "",
      confidence: 1,
      suggestions: [],
    });
    expect(readDesk('{"type":"entity","id":"e","entity_type":"iban"}')).toMatchObject({ kind: "iban", pinned: false });
  });

  it("asks for sound in binary, and for a stance unless it is the caller", () => {
    const asked = { callId: "c1", role: "operator" as const, stance: "listen" as const, token: "t" };
    expect(deskUrl("ws://h", asked)).toBe(
      "ws://h/ws/live?call_id=c1&role=operator&audio=binary&sample_rate=16000&stance=listen&token=t",
    );
    expect(deskUrl("ws://h", { ...asked, role: "caller", stance: null, token: "" })).not.toContain("stance");
  });

  it("comes back ever more slowly", () => {
    expect([0, 1, 2, 3, 4, 9].map(backoff)).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
  });
});

describe("the transcript of several people", () => {
  const say = (part: object) => said({ turn: 1, ...part });

  it("keeps lines in the order of speech and replaces a human's partials", () => {
    let lines = withSaid([], say({ speaker: "caller", text: "I need" }), 1000);
    lines = withSaid(lines, say({ speaker: "operator", seat: "s1", text: "One moment", final: true, started_ms: 3000 }), 4000);
    lines = withSaid(lines, say({ speaker: "caller", text: "I need help", final: true, started_ms: 900 }), 4100);
    expect(lines.map(({ text, final }) => [text, final])).toEqual([
      ["I need help", true],
      ["One moment", true],
    ]);
    expect(withSaid(lines, say({ speaker: "caller", text: "late partial" }), 5000)).toEqual(lines);
  });

  it("tells two operators of one turn apart, and joins the agent's clauses", () => {
    let lines = withSaid([], say({ speaker: "operator", seat: "s1", text: "a" }), 1);
    lines = withSaid(lines, say({ speaker: "operator", seat: "s2", text: "b" }), 2);
    lines = withSaid(lines, say({ speaker: "agent", turn: 2, text: "Hello." }), 3);
    lines = withSaid(lines, say({ speaker: "agent", turn: 2, text: "How are you?" }), 4);
    expect(lines.map(({ text }) => text)).toEqual(["a", "b", "Hello. How are you?"]);
  });

  it("cuts a line at what was found in it", () => {
    expect(pinned("call +44 20 now", [{ id: "e", text: "+44 20" }])).toEqual([
      { text: "call ", entity: null },
      { text: "+44 20", entity: "e" },
      { text: " now", entity: null },
    ]);
    expect(pinned("nothing", [{ id: "e", text: "" }])).toEqual([{ text: "nothing", entity: null }]);
  });
});

const card = (id: string, part: Partial<Coaching> = {}) => coaching({ id, expires_ms: 10_000, ...part });

describe("coaching cards", () => {
  it("shows what sounds, then what presses, then the newest, until it expires", () => {
    const cards = [card("old"), card("new"), card("urgent", { priority: 3 }), card("over", { expires_ms: 500 })];
    expect(open(cards, 1000).map(({ id }) => id)).toEqual(["urgent", "new", "old"]);
    const sounding = withStatus(cards, "old", "playing");
    expect(open(sounding, 1000)[0]?.id).toBe("old");
    expect(open(withStatus(cards, "urgent", "dismissed"), 1000)[0]?.id).toBe("new");
  });

  it("expires the one that was superseded, and lets the voice of a card come later", () => {
    let cards = withCard([card("a")], card("b", { supersedes: "a" }));
    expect(cards.map(({ status }) => status)).toEqual(["expired", "shown"]);
    const voiced = { recommended_audio: { audio_base64: "x", format: "wav", duration: 1 } };
    cards = withCard(withStatus(cards, "b", "used"), card("b", { ...voiced, status: "queued" }));
    expect(cards[1]).toMatchObject({ status: "used", recommended_audio: { duration: 1 } });
  });

  it("leaves the card that somebody writes in where it is, until it is done with", () => {
    const card = (id: string, part: Partial<Coaching> = {}) => coaching({ id, expires_ms: 9000, ...part });
    const both = [card("written", { priority: 1 }), card("urgent", { priority: 9 })];
    const ids = (cards: Coaching[], at: number, written: string) => {
      const { card, waiting } = shown(cards, at, written);
      return [card?.id, ...waiting.map(({ id }) => id)];
    };
    expect(ids(both, 0, "")).toEqual(["urgent", "written"]);
    expect(ids(both, 0, "written")).toEqual(["written", "urgent"]);
    expect(ids(both, 10_000, "written")).toEqual(["written"]);
    expect(ids(withStatus(both, "written", "expired"), 0, "written")).toEqual(["written", "urgent"]);
    expect(ids(withStatus(both, "written", "used"), 0, "written")).toEqual(["urgent"]);
    expect(ids([], 0, "")).toEqual([undefined]);
  });

  it("counts down to nothing", () => {
    expect([remaining(card("a"), 4000), remaining(card("a"), 12_000)]).toEqual([6000, 0]);
    expect(remaining(card("a", { expires_ms: 0 }), 1e9)).toBe(Number.POSITIVE_INFINITY);
    expect(countdown(120_001)).toBe("3 min");
    expect([countdown(6001), countdown(1), countdown(0), countdown(Number.POSITIVE_INFINITY)]).toEqual(["7 s", "1 s", "0 s", ""]);
  });
});

describe("the cockpit's state", () => {
  const JOINED = {
    type: "joined",
    call_id: "c1",
    seat: "s1",
    leg: "operator",
    role: "operator",
    sample_rate: 16_000,
    mode: "agent",
    holder: "",
    hears: {},
    seats: [],
    coach: { volume: 0.5 },
    history: [
      { kind: "transcript_final", seq: 1, media_ms: 2000, leg: "caller", turn: 1, text: "Hello", started_ms: 500, ended_ms: 1500 },
      { kind: "coaching_card", seq: 2, media_ms: 2100, id: "k", turn: 1, intent: "greeting", expires_ms: 9000 },
      { kind: "card", seq: 3, media_ms: 2200, id: "k", status: "dismissed", seat: "someone else" },
      { kind: "entity", seq: 4, media_ms: 2300, id: "e", type: "phone", value: "+44", text: "+44", leg: "caller", turn: 1, at_ms: 900 },
      { kind: "entity_pinned", seq: 5, media_ms: 2400, id: "e", by: "p", pinned: true },
      { kind: "entity_pinned", seq: 6, media_ms: 2500, id: "own", by: "p", pinned: true, added: { type: "name", value: "Ann", at_ms: 7 } },
    ],
  };
  const read = (message: object) => readDesk(JSON.stringify(message)) as DeskDown;
  const seated = received(EMPTY, read(JOINED), 100);

  it("is whole after joining late", () => {
    expect(seated).toMatchObject({ link: "up", seat: "s1", coach: { volume: 0.5 } });
    expect(seated.lines[0]?.text).toBe("Hello");
    expect(seated.cards[0]).toMatchObject({ id: "k", status: "shown" });
    expect(seated.entities).toMatchObject([
      { id: "e", kind: "phone", pinned: true },
      { id: "own", kind: "name", value: "Ann", pinned: true },
    ]);
    expect(mediaNow(seated, 600)).toBe(3000);
  });

  it("begins anew when it joins again, so that nothing stands twice", () => {
    const again = received(received(seated, read(JOINED), 900), read(JOINED), 950);
    expect(again.lines).toHaveLength(1);
    expect(again.events).toHaveLength(JOINED.history.length);
  });

  it("follows modes, cards of its own, and the end", () => {
    const moved = received(seated, read({ type: "mode", mode: "takeover", holder: "s1" }), 200);
    expect(moved).toMatchObject({ mode: "takeover", holder: "s1" });
    const used = received(moved, read({ type: "card", id: "k", status: "used", seat: "s1" }), 200);
    expect(used.cards[0]?.status).toBe("used");
    expect(received(moved, read({ type: "card", id: "k", status: "used", seat: "s9" }), 200).cards[0]?.status).toBe("shown");
    const over = received(used, read({ type: "ended", reason: "caller_hung_up" }), 1100);
    expect(over).toMatchObject({ link: "over", ending: "caller_hung_up" });
    expect(mediaNow(over, 99_999)).toBe(mediaNow(used, 1100));
  });

  it("never lets media time run backwards", () => {
    const late = received(seated, read({ type: "event", entry: { kind: "notice", seq: 9, media_ms: 10, text: "" } }), 300);
    expect(mediaNow(late, 300)).toBe(2700);
  });
});

describe("who is here", () => {
  it("reads the session, and nobody from anything else", () => {
    const person = { id: "u", name: "Ann", role: "admin" };
    const may = { listen: "all" };
    expect(readSession({ person, login: true, may })).toEqual({ person, login: true, may, reason: "" });
    const nobody = { person: null, login: false, may: {}, reason: "" };
    expect(readSession({ person: { id: "u", role: "emperor" } })).toEqual(nobody);
    expect(readSession(null)).toEqual(nobody);
  });

  it("goes back only to pages of this console", () => {
    expect(destination("?next=%2Fcalls%3Fa%3D1")).toBe("/calls?a=1");
    for (const bad of ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "/\n\\evil.example", ""]) {
      expect(destination(`?next=${encodeURIComponent(bad)}`)).toBe("/");
    }
  });
});
