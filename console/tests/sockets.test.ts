import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** Sockets in the order in which they were opened. */
class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.all.at(-1) as FakeSocket;
  }
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.readyState = 3;
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  lose(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

let answers: (() => Promise<Response>)[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  answers = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("location", { protocol: "http:", host: "desk", search: "", hash: "", assign: vi.fn() });
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("fetch", () => (answers.shift() ?? (async () => Response.json({ calls: [], queues: [], operators: [] })))());
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const floor = (...ids: string[]) => ({ type: "floor", calls: ids.map((call_id) => ({ call_id })), gone: [], counters: {} });

describe("the floor's news", () => {
  it("of the socket is not undone by what was asked before it came", async () => {
    const { FloorFeed } = await import("../src/floor/feed");
    const feed = new FloorFeed();
    FakeSocket.last.say(floor("a", "b"));
    let answer: (response: Response) => void = () => undefined;
    answers = [() => new Promise((settle) => (answer = settle))];
    FakeSocket.last.lose(); // asks at once
    await vi.advanceTimersByTimeAsync(600);
    FakeSocket.last.say(floor("b"));
    answer(Response.json({ calls: [{ call_id: "a" }, { call_id: "b" }], counters: {} }));
    await vi.advanceTimersByTimeAsync(10);
    expect([...feed.calls.value.keys()]).toEqual(["b"]);
    expect(feed.freshness.value).toBe("live");
    feed.close();
  });
});

describe("a socket whose other end is gone without a word", () => {
  it("is left for another one; one that answers is kept", async () => {
    const { FloorFeed } = await import("../src/floor/feed");
    const feed = new FloorFeed();
    FakeSocket.last.say(floor("a"));
    for (let beat = 0; beat < 6; beat++) {
      await vi.advanceTimersByTimeAsync(5_000);
      FakeSocket.last.say({ type: "pong", t: 1 });
    }
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(16_000);
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.last.say(floor("b"));
    FakeSocket.all[0]?.say(floor("a"));
    expect([...feed.calls.value.keys()]).toEqual(["b"]);
    expect(feed.freshness.value).toBe("live");
    feed.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

describe("an operator's rings", () => {
  it("are heard though the server was away when the page was loaded", async () => {
    const { session } = await import("../src/session");
    const { beginOperator, presence } = await import("../src/floor/operator");
    session.value = { person: { id: "u", name: "Ann", role: "operator" }, login: true, may: { talk: "all" }, reason: "" };
    answers = [async () => new Response("", { status: 503 })];
    beginOperator();
    await vi.advanceTimersByTimeAsync(100);
    expect(FakeSocket.all).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(FakeSocket.all).toHaveLength(1);
    FakeSocket.last.say({ type: "presence", presence: "available" });
    expect(presence.value).toBe("available");
    await vi.advanceTimersByTimeAsync(16_000); // nobody answers its pings
    expect(FakeSocket.all).toHaveLength(2);
    expect(presence.value).toBeNull();
    FakeSocket.last.say({ type: "presence", presence: "available" });
    FakeSocket.last.lose(4401); // logged out elsewhere: nobody is rung here any more
    expect(presence.value).toBeNull();
  });
});

describe("a call by WebRTC", () => {
  it("goes by the socket where the browser refuses the connection itself", async () => {
    const { PhoneCall } = await import("../src/phone/call");
    vi.stubGlobal("isSecureContext", true);
    vi.stubGlobal("AudioWorkletNode", class {});
    vi.stubGlobal("document", { addEventListener: () => undefined, removeEventListener: () => undefined });
    vi.stubGlobal("RTCPeerConnection", class {
      constructor() {
        throw new Error("a TURN server needs a login");
      }
    });
    answers = [async () => Response.json({ offered: true, ice_servers: [{ urls: "turn:x" }] })];
    const options = { agent: "", token: "", transport: "webrtc", codec: "pcm16", processing: true, nativeRate: false } as const;
    const call = new PhoneCall(options);
    await call.begin();
    expect(call.transport.value).toBe("websocket");
    expect(FakeSocket.last.url).toContain("/media/browser");
    call.hangUp();
  });
});

describe("a seat", () => {
  const joined = { type: "joined", call_id: "call_1", seat: "s", leg: "caller", role: "caller", history: [], hears: {}, seats: [] };
  async function seat(role: "caller" | "operator") {
    const { DeskCall } = await import("../src/desk/desk-call");
    const desk = new DeskCall({ callId: "test", role, stance: "join", token: "", processing: true });
    await desk.begin();
    FakeSocket.last.say({ ...joined, role });
    return desk;
  }

  it("that is back says so to an operator; a caller did not come to listen", async () => {
    for (const [role, words] of [["operator", "You are back, as a listener"], ["caller", ""]] as const) {
      const desk = await seat(role);
      FakeSocket.last.lose();
      expect(desk.state.value.link).toBe("lost");
      await vi.advanceTimersByTimeAsync(600);
      FakeSocket.last.say({ ...joined, role });
      expect(desk.state.value.link).toBe("up");
      if (words === "") expect(desk.state.value.notice).toBe("");
      else expect(desk.state.value.notice).toContain(words);
    }
  });

  it("of a caller who hangs up while it is lost does not come back", async () => {
    const desk = await seat("caller");
    FakeSocket.last.lose();
    desk.hangUp();
    expect(desk.state.value.link).toBe("over");
    const sockets = FakeSocket.all.length;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(FakeSocket.all).toHaveLength(sockets);
  });

  it("whose session is over is told so, and not that the call has ended", async () => {
    const desk = await seat("operator");
    FakeSocket.last.say({ type: "ended", reason: "refused" });
    expect(desk.audience.words).toBe("You are not on this call: nobody hears you");
    expect(desk.state.value.notice).toContain("Your session is over");
  });

  it("that is closed says why by its own close, and its clock stands", async () => {
    const desk = await seat("operator");
    FakeSocket.last.say({ type: "error", code: "refused", reason: "you have not taken this call over" });
    FakeSocket.last.lose();
    await vi.advanceTimersByTimeAsync(600);
    FakeSocket.last.lose(4404);
    expect(desk.state.value).toMatchObject({ link: "over", notice: "This call is not live any more." });
    expect(desk.audience.words).toBe("You are not on this call: nobody hears you");
    const at = desk.mediaMs;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(desk.mediaMs).toBe(at);
  });
});
