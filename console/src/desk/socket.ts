// The desk's socket: joins a call, comes back by itself when lost. Text and raw PCM16 pass through; no sound, no state.

import { readDesk } from "./read";
import type { DeskDown, DeskUp, Stance } from "./wire";

const FIRST_MS = 500;
const LONGEST_MS = 5_000;
const PATIENCE_MS = 10_000;
const PING_MS = 1_000;
const SILENT_MS = 7_000;
/** So often a socket that never let us in is tried; a refusal at the door looks like any broken connection. */
const FIRST_TRIES = 3;
const MAX_BUFFERED = 65_536;

/** Closes after which coming back is pointless. */
const FINAL: Record<number, string> = {
  1000: "The call has ended.",
  1003: "The server did not understand this page. Reload it.",
  1007: "The server did not understand this page. Reload it.",
  1008: "You are not allowed on this call, or have to log in.",
  1013: "The server has no seat free on this call.",
  4401: "You have to log in.",
  4403: "You are not allowed on this call.",
  4404: "This call is not live any more.",
  4409: "Somebody else has taken over this call.",
  4429: "This call has no free seat.",
};

export interface DeskEvents {
  message(message: DeskDown): void;
  audio(pcm: ArrayBuffer): void;
  lost(): void;
  closed(sentence: string): void;
}

export interface DeskAddress {
  callId: string;
  role: "operator" | "supervisor" | "caller";
  stance: Stance | null;
  token: string;
}

export function deskUrl(base: string, { callId, role, stance, token }: DeskAddress): string {
  const query = new URLSearchParams({ call_id: callId, role, audio: "binary", sample_rate: "16000" });
  if (stance !== null) query.set("stance", stance);
  if (token !== "") query.set("token", token);
  return `${base}/ws/live?${query}`;
}

/** The delay before the attempt of this number, from 0: doubling, up to five seconds. */
export function backoff(attempt: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
}

export class DeskSocket {
  skipped = 0;
  private socket: WebSocket | null = null;
  private address: DeskAddress;
  private attempt = 0;
  private seated = false;
  private timer = 0;
  private pinger = 0;
  private heardAt = 0;
  private over = false;
  private refusal = "";

  constructor(
    private readonly base: string,
    address: DeskAddress,
    private readonly events: DeskEvents,
  ) {
    this.address = address;
    this.connect();
  }

  send(message: DeskUp): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Send a piece of sound; skipped, not queued, where the network cannot keep up. */
  sendAudio(pcm: Uint8Array<ArrayBuffer>): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    if (this.socket.bufferedAmount > MAX_BUFFERED) {
      this.skipped += 1;
      return false;
    }
    this.socket.send(pcm);
    return true;
  }

  /** Leave for good; no event follows. */
  close(): void {
    this.send({ type: "leave" });
    this.finish();
  }

  /** Treat the connection as lost although it has not closed. */
  cut(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close(4000);
    this.dropped(1006);
  }

  private connect(): void {
    const socket = new WebSocket(deskUrl(this.base, this.address));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.refusal = ""; // of this connection alone
    this.timer = window.setTimeout(() => socket.close(), PATIENCE_MS);
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.received(data);
    socket.onclose = ({ code }) => {
      if (this.socket === socket) this.dropped(code);
    };
  }

  private received(data: string | ArrayBuffer): void {
    this.heardAt = performance.now();
    if (typeof data !== "string") return this.events.audio(data);
    const message = readDesk(data);
    if (message === null) return;
    if (message.type === "joined") this.joined(message.call_id);
    if (message.type === "error") this.refusal = message.reason;
    if (message.type === "ended") this.finish();
    this.events.message(message);
  }

  private joined(callId: string): void {
    window.clearTimeout(this.timer);
    window.clearInterval(this.pinger);
    this.attempt = 0;
    this.seated = true;
    // Who comes back after a loss only listens: nobody is put on the air by a network.
    this.address = { ...this.address, callId, stance: this.address.stance === null ? null : "listen" };
    this.pinger = window.setInterval(() => this.ping(), PING_MS);
  }

  private ping(): void {
    const now = performance.now();
    if (now - this.heardAt > SILENT_MS) {
      this.cut();
    } else {
      this.send({ type: "ping", t: Math.round(now) });
    }
  }

  private dropped(code: number): void {
    window.clearTimeout(this.timer);
    window.clearInterval(this.pinger);
    if (this.over) return;
    const keptOut = !this.seated && this.attempt + 1 >= FIRST_TRIES;
    const sentence = FINAL[code] ?? (keptOut ? "The server does not let you onto this call, or cannot be reached." : undefined);
    if (sentence !== undefined) {
      this.finish();
      return this.events.closed(this.refusal || sentence);
    }
    if (this.seated) this.events.lost();
    this.timer = window.setTimeout(() => this.connect(), backoff(this.attempt));
    this.attempt += 1;
  }

  private finish(): void {
    this.over = true;
    window.clearTimeout(this.timer);
    window.clearInterval(this.pinger);
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
  }
}
