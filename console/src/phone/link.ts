// What a call needs of its connection and of its sound, whichever way they go. Types only.

import type { Upward } from "./wire";

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
