// An operator's socket: presence and what rings, wherever in the console somebody is. Opens no call.

import { signal } from "@preact/signals";
import { ApiError, apiGet, apiSend } from "../api";
import { readTyped } from "../desk/read";
import { backoff } from "../desk/socket";
import { may } from "../session";
import { Pulse } from "./pulse";

export type Presence = "available" | "away";

export interface Ring {
  callId: string;
  queue: string;
  /** When it stops ringing, by performance.now(). */
  until: number;
}

/** What whoever is asked is told about a call (docs/desk.md, warm transfer). */
export interface Briefing {
  language: string;
  caller: string;
  agent: string;
  seconds: number;
  calls_before: number;
  reason: string;
  intent: string;
  said: string[];
  promises: string[];
  entities: { type: string; value: string }[];
  mood: string;
  summary: string;
}

/** A colleague, or the AI (`by` is empty), asks this person to take a call. */
export interface ConsultRing {
  id: string;
  callId: string;
  by: string;
  briefing: Briefing;
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
  | { type: "ring_over"; call_id: string; why: string }
  | { type: "consult"; id: string; call_id: string; seconds: number; by: string; briefing: Briefing }
  | { type: "consult_over"; id: string; call_id: string; why: string };

const SESSION_OVER = 4401;
const LOST = 1006;

export const presence = signal<Presence | null>(null);
export const rings = signal<readonly Ring[]>([]);
export const consults = signal<readonly ConsultRing[]>([]);
/** Whether this house has queues, for which people say that they are available. */
export const queued = signal(false);
let begun = false;
let attempt = 0;

export function fetchQueues(): Promise<Queues> {
  return apiGet<Queues>("/api/queues");
}

/** Listen for rings from now on, where this person may answer calls. */
export function beginOperator(): void {
  if (begun || !may("talk")) return;
  begun = true;
  fetchQueues()
    .then(({ queues }) => {
      queued.value = queues.length > 0;
      connect();
    })
    .catch((error: unknown) => {
      begun = false;
      // Refused is refused; a server that is away for a moment must not leave somebody without rings.
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) return;
      window.setTimeout(beginOperator, backoff(attempt));
      attempt += 1;
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

/** Come and be told about a call; it is then to be sat on with the stance "consult". */
export async function acceptConsult(callId: string): Promise<void> {
  try {
    await apiSend("POST", `/api/live/${encodeURIComponent(callId)}/warm/accept`);
  } finally {
    consultOver(callId);
  }
}

export async function declineConsult(callId: string): Promise<void> {
  consultOver(callId);
  await apiSend("POST", `/api/live/${encodeURIComponent(callId)}/warm/decline`);
}

function consultOver(callId: string): void {
  consults.value = consults.value.filter((one) => one.callId !== callId);
}

function connect(): void {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/operator`);
  const gone = (code: number) => {
    socket.onclose = socket.onmessage = null;
    pulse.stop();
    rings.value = [];
    consults.value = [];
    presence.value = null;
    if (code === SESSION_OVER) return;
    window.setTimeout(connect, backoff(attempt));
    attempt += 1;
  };
  const pulse = new Pulse(socket, () => {
    socket.close();
    gone(LOST);
  });
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    pulse.heard();
    const message = readTyped<Message>(data);
    if (message !== null) take(message);
  };
  socket.onclose = ({ code }) => gone(code);
}

/** What the server tells; exported for tests. */
export function take(message: Message): void {
  if (message.type === "presence") {
    presence.value = message.presence;
    attempt = 0;
  } else if (message.type === "ring") {
    const ring = { callId: message.call_id, queue: message.queue, until: performance.now() + message.seconds * 1000 };
    rings.value = [...rings.value.filter((one) => one.callId !== ring.callId), ring];
  } else if (message.type === "consult") {
    const { id, call_id: callId, by, briefing, seconds } = message;
    const ring = { id, callId, by, briefing, until: performance.now() + seconds * 1000 };
    consults.value = [...consults.value.filter((one) => one.callId !== callId), ring];
  } else if (message.type === "consult_over") consultOver(message.call_id);
  else if (message.type === "ring_over") over(message.call_id);
}

function over(callId: string): void {
  rings.value = rings.value.filter((one) => one.callId !== callId);
}
