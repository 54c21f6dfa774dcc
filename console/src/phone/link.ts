// What a call needs of its connection and of its sound, whichever way they go. Types only.

import type { Codec, Upward } from "./wire";

export type Transport = "websocket" | "webrtc";
/** What the caller wants: one of them first, or WebRTC where it works. */
export type Wish = Transport | "auto";

/** The words of one call, to the server. */
export interface CallLink {
  /** Whether it was sent. */
  send(message: Upward): boolean;
  /** Hang up; no event follows. */
  end(): void;
  /** Treat the connection as lost (no answer for too long). */
  giveUp(): void;
}

/** The sound of one call, as the page shows and steers it. */
export interface CallVoice {
  readonly rms: number;
  readonly rate: number;
  readonly framesSent: number;
  readonly playedMs: number;
  readonly bufferedMs: number;
  readonly underruns: number;
  readonly callerLevel: number;
  readonly agentLevel: number;
  mute(muted: boolean): void;
  wake(): void;
  close(): void;
}

/** The ways to try, in order. */
export function waysFor(wish: Wish, able: boolean): Transport[] {
  if (!able) return ["websocket"];
  return wish === "websocket" ? ["websocket", "webrtc"] : ["webrtc", "websocket"];
}

/** The wish in a page's query, or null for none. */
export function wishOf(text: string | null): Wish | null {
  return text === "webrtc" || text === "websocket" || text === "auto" ? text : null;
}

/** The codec in a page's query. */
export function codecOf(text: string | null): Codec | "best" {
  return text === "pcm16" || text === "opus" ? text : "best";
}

/** Whether a server is this machine or in a private network, where sound need not be made small. */
export function isNear(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name.endsWith(".local") || name === "::1") return true;
  if (/^f[cd][0-9a-f]{2}:/.test(name) || name.startsWith("fe80:")) return true;
  const parts = /^(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/.exec(name)?.slice(1).map(Number);
  if (parts === undefined) return false;
  const [first, second] = parts as [number, number];
  return first === 127 || first === 10 || (first === 192 && second === 168) || (first === 172 && second >> 4 === 1);
}
