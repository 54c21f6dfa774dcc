// An operator's socket: presence and what rings, wherever in the console somebody is. Opens no call.

import { signal } from "@preact/signals";
import { apiGet, apiSend } from "../api";
import { readTyped } from "../desk/read";
import { backoff } from "../desk/socket";
import { may } from "../session";

export type Presence = "available" | "away";

export interface Ring {
  callId: string;
  queue: string;
  /** When it stops ringing, by performance.now(). */
  until: number;
}

export interface Waiting {
  call_id: string;
  agent: string;
  language: string;
  position: number;
  waited_s: number;
  wait_s: number;
}

export interface Operator {
  id: string;
  name: string;
  presence: "available" | "busy" | "away";
  here: boolean;
  ringing: string;
  idle_s: number;
  skills: string[];
  languages: string[];
}

export interface Queues {
  queues: { name: string; count: number; waiting: Waiting[] }[];
  operators: Operator[];
}

type Message =
  | { type: "presence"; presence: Presence }
  | { type: "ring"; call_id: string; queue: string; seconds: number }
  | { type: "ring_over"; call_id: string; why: string };

const SESSION_OVER = 4401;

export const presence = signal<Presence | null>(null);
export const rings = signal<readonly Ring[]>([]);
let begun = false;
let attempt = 0;

export function fetchQueues(): Promise<Queues> {
  return apiGet<Queues>("/api/queues");
}

/** Listen for rings from now on, where this house has queues and this person may answer calls. */
export function beginOperator(): void {
  if (begun || !may("talk")) return;
  begun = true;
  fetchQueues()
    .then(({ queues }) => queues.length > 0 && connect())
    .catch(() => {
      begun = false;
    });
}

export async function setPresence(wanted: Presence): Promise<void> {
  await apiSend("PUT", "/api/presence", { presence: wanted });
}

/** Say to answer; the call is then to be taken over. */
export async function accept(callId: string): Promise<void> {
  try {
    await apiSend("POST", `/api/rings/${encodeURIComponent(callId)}/accept`);
  } finally {
    over(callId);
  }
}

export async function decline(callId: string): Promise<void> {
  over(callId);
  await apiSend("POST", `/api/rings/${encodeURIComponent(callId)}/decline`);
}

function connect(): void {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/operator`);
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const message = readTyped<Message>(data);
    if (message !== null) take(message);
  };
  socket.onclose = ({ code }) => {
    rings.value = [];
    if (code === SESSION_OVER) return;
    presence.value = null;
    window.setTimeout(connect, backoff(attempt));
    attempt += 1;
  };
}

/** What the server tells; exported for tests. */
export function take(message: Message): void {
  if (message.type === "presence") {
    presence.value = message.presence;
    attempt = 0;
  } else if (message.type === "ring") {
    const ring = { callId: message.call_id, queue: message.queue, until: performance.now() + message.seconds * 1000 };
    rings.value = [...rings.value.filter((one) => one.callId !== ring.callId), ring];
  } else if (message.type === "ring_over") over(message.call_id);
}

function over(callId: string): void {
  rings.value = rings.value.filter((one) => one.callId !== callId);
}
