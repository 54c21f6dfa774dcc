// The words of the call socket (docs/browser-protocol.md): messages, audio header. No sockets, no sound.

export const RATE = 16_000;
export const FRAME_SAMPLES = 320;
export const HEADER_BYTES = 8;
export const PCM16 = 1;
export const OPUS = 2;

export type Codec = "pcm16" | "opus";
export type Speaker = "caller" | "agent";
export type Floor =
  | "greeting"
  | "listening"
  | "hearing"
  | "pausing"
  | "thinking"
  | "speaking"
  | "holding"
  | "closing"
  | "ended";

export interface Start {
  type: "start";
  version: 1;
  agent?: string;
  codec: Codec;
  audio: boolean;
  token?: string;
  resume?: string;
}

export type Upward =
  | Start
  | { type: "text"; text: string }
  | { type: "dtmf"; digit: string }
  | { type: "mute"; muted: boolean }
  | { type: "mark"; name: string }
  | { type: "ping"; id: number }
  | { type: "stats"; round_trip_ms: number; jitter_ms: number; underruns: number }
  | { type: "end" };

export interface Started {
  type: "started";
  call_id: string;
  resume: string;
  codec: Codec;
  agent: string;
  resumed: boolean;
  epoch: number;
}

export interface TranscriptMessage {
  type: "transcript";
  speaker: Speaker;
  turn: number;
  text: string;
  final: boolean;
  interrupted?: boolean;
  unheard?: string;
}

export type Downward =
  | Started
  | TranscriptMessage
  | { type: "state"; state: Floor }
  | { type: "levels"; caller: number; agent: number }
  | {
      type: "latency";
      turn: number;
      endpoint_ms: number;
      transcript_ms: number;
      first_token_ms: number;
      first_audio_ms: number;
    }
  | { type: "clear"; epoch: number }
  | { type: "mark"; name: string }
  | { type: "notice"; text: string }
  | { type: "pong"; id: number }
  | { type: "error"; code: string; message: string }
  | { type: "ended"; reason: string };

export interface AudioFrame {
  codec: number;
  epoch: number;
  atMs: number;
  payload: Uint8Array;
}

/** Write the 8-byte header in place; `frame` holds the payload from byte 8 on. */
export function writeHeader(frame: ArrayBuffer, codec: number, atMs: number): void {
  const view = new DataView(frame);
  view.setUint8(0, codec);
  view.setUint8(1, 0);
  view.setUint16(2, 0, true);
  view.setUint32(4, atMs >>> 0, true);
}

/** The parts of a binary message, or null when it is too short to be one. */
export function readFrame(message: ArrayBuffer): AudioFrame | null {
  if (message.byteLength <= HEADER_BYTES) return null;
  const view = new DataView(message);
  return {
    codec: view.getUint8(0),
    epoch: view.getUint16(2, true),
    atMs: view.getUint32(4, true),
    payload: new Uint8Array(message, HEADER_BYTES),
  };
}

/** Whether epoch `a` came before `b`; epochs are 16 bits and wrap. */
export function isOlder(a: number, b: number): boolean {
  return ((a - b) & 0xffff) > 0x7fff;
}

/** A text frame as a message, or null when it is not one; unknown types pass and are ignored later. */
export function readMessage(text: string): Downward | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "type" in value) return value as Downward;
  } catch {
    return null;
  }
  return null;
}
