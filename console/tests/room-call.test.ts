import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** Rooms in the order in which they were made; `fails` says whether the next ones can be entered. */
const server = vi.hoisted(() => ({ rooms: [] as { state: string; disconnects: number }[], fails: false }));

vi.mock("livekit-client", () => {
  class Room {
    state = "disconnected";
    disconnects = 0;
    localParticipant = { identity: "ann", setMicrophoneEnabled: async () => undefined };
    remoteParticipants = new Map();
    private readonly told: Record<string, (reason?: unknown) => void> = {};
    constructor() {
      server.rooms.push(this);
    }
    on(event: string, tell: (reason?: unknown) => void) {
      this.told[event] = tell;
      return this;
    }
    registerTextStreamHandler() {}
    async startAudio() {}
    async connect() {
      await Promise.resolve();
      if (!server.fails) return void (this.state = "connected");
      this.told.disconnected?.("JOIN_FAILURE"); // as the real one: who cannot get in has parted, too
      throw new Error("no way in");
    }
    async disconnect() {
      this.disconnects += 1;
      this.state = "disconnected";
    }
    cut() {
      this.state = "disconnected";
      this.told.disconnected?.("SIGNAL_CLOSE");
    }
  }
  const names = (...all: string[]) => Object.fromEntries(all.map((name) => [name, name]));
  return {
    Room,
    RoomEvent: { ...names("ParticipantConnected", "Reconnected"), Disconnected: "disconnected" },
    DisconnectReason: names("CLIENT_INITIATED", "DUPLICATE_IDENTITY", "PARTICIPANT_REMOVED", "ROOM_DELETED"),
    DefaultReconnectPolicy: class {},
    ParticipantKind: {},
    Track: { Kind: {} },
    setLogLevel: () => undefined,
  };
});

const { RoomCall } = await import("../src/rooms/room-call");
const options = { room: "r", identity: "ann", name: "Ann", agent: "", callToken: "", processing: false };
let asked = 0;
let answers: Promise<void> = Promise.resolve();

beforeEach(() => {
  vi.useFakeTimers();
  server.rooms.length = 0;
  server.fails = false;
  asked = 0;
  answers = Promise.resolve();
  vi.stubGlobal("fetch", async () => {
    asked += 1;
    await answers;
    return Response.json({ token: "t", url: "ws://rooms", identity: "ann" });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a room that is lost", () => {
  it("is asked for once a second, for a minute, and no longer", async () => {
    const call = new RoomCall(options);
    await call.begin();
    expect(call.phase.value).toBe("up");
    server.fails = true;
    (server.rooms[0] as unknown as { cut(): void }).cut();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(call.phase.value).toBe("lost");
    expect(asked).toBeLessThanOrEqual(12);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(call.phase.value).toBe("over");
    const last = asked;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(last);
  });

  it("is entered again by one try alone", async () => {
    const call = new RoomCall(options);
    await call.begin();
    server.fails = true;
    (server.rooms[0] as unknown as { cut(): void }).cut();
    await vi.advanceTimersByTimeAsync(5_000);
    server.fails = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(call.phase.value).toBe("up");
    expect(call.rejoined).toBe(1);
    expect(server.rooms.filter(({ state }) => state === "connected")).toHaveLength(1);
  });
});

describe("who came by a call token", () => {
  it("enters anew by what the token opened, for it opens once", async () => {
    const call = new RoomCall({ ...options, callToken: "once" });
    await call.begin();
    (server.rooms[0] as unknown as { cut(): void }).cut();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(call.phase.value).toBe("up");
    expect(asked).toBe(1);
  });
});

describe("who leaves while the room is entered", () => {
  it("is not in it afterwards", async () => {
    let answer = () => undefined as void;
    answers = new Promise((settle) => {
      answer = settle;
    });
    const call = new RoomCall(options);
    const entered = call.begin();
    call.leave();
    answer();
    await entered;
    expect(call.phase.value).toBe("over");
    expect(server.rooms.filter(({ state }) => state === "connected")).toHaveLength(0);
  });
});
