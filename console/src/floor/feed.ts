// The floor's news: the socket while it stands, polling while it does not, and the age of what is shown.

import { signal } from "@preact/signals";
import { apiGet } from "../api";
import { readTyped } from "../desk/read";
import { backoff } from "../desk/socket";
import type { Counters, FloorCall, FloorMessage } from "../desk/wire";
import { merged } from "./attention";
import { Pulse } from "./pulse";

export type Freshness = "connecting" | "live" | "polling" | "stale";

const POLL_MS = 2_000;
/** A socket that has said nothing for so long is asked about by a poll. */
const QUIET_MS = 10_000;
const SESSION_OVER = 4401;
const LOST = 1006;
const STALE_MS = 6_000;

export class FloorFeed {
  readonly calls = signal<ReadonlyMap<string, FloorCall>>(new Map());
  readonly counters = signal<Counters>({});
  readonly freshness = signal<Freshness>("connecting");
  readonly problem = signal("");
  /** When the last news came, by performance.now(); 0 before any. */
  readonly heardAt = signal(0);
  private socket: WebSocket | null = null;
  private pulse: Pulse | null = null;
  private first = true;
  private attempt = 0;
  private retry = 0;
  private readonly poller: number;
  private closed = false;
  private asking = false;

  constructor() {
    this.connect();
    this.poller = window.setInterval(() => void this.poll(), POLL_MS);
  }

  close(): void {
    this.closed = true;
    window.clearInterval(this.poller);
    window.clearTimeout(this.retry);
    this.pulse?.stop();
    this.socket?.close();
  }

  private connect(): void {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/floor`);
    this.socket = socket;
    this.first = true;
    const pulse = new Pulse(socket, () => {
      socket.close();
      this.lost(socket, LOST);
    });
    this.pulse = pulse;
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      pulse.heard();
      const message = readTyped<FloorMessage | { type: "error"; code: string; reason: string }>(data);
      if (message?.type === "error") this.problem.value = message.reason;
      if (message?.type === "floor") this.take(message);
    };
    socket.onclose = ({ code }) => this.lost(socket, code);
  }

  private lost(socket: WebSocket, code: number): void {
    if (code === SESSION_OVER) location.assign("/login");
    if (this.closed || this.socket !== socket) return;
    this.socket = socket.onmessage = null;
    this.pulse?.stop();
    this.retry = window.setTimeout(() => this.connect(), backoff(this.attempt));
    this.attempt += 1;
    void this.poll();
  }

  private take(message: FloorMessage): void {
    this.calls.value = merged(this.calls.value, message, this.first, performance.now());
    if (message.counters) this.counters.value = message.counters;
    this.first = false;
    this.attempt = 0;
    this.news("live");
  }

  private news(freshness: Freshness): void {
    this.heardAt.value = performance.now();
    this.freshness.value = freshness;
    this.problem.value = "";
  }

  /** Ask by HTTP where the socket is gone or strangely quiet. */
  private async poll(): Promise<void> {
    const age = performance.now() - this.heardAt.value;
    const standing = this.socket?.readyState === WebSocket.OPEN && !this.first;
    if (this.asking || this.closed || (standing && age < QUIET_MS)) return;
    if (this.attempt === 0 && this.heardAt.value === 0 && age < POLL_MS) return;
    this.asking = true;
    const before = this.heardAt.value;
    try {
      const answer = await apiGet<{ calls: FloorCall[]; counters?: Counters }>("/api/live");
      if (this.closed || this.heardAt.value !== before) return; // the socket knows better meanwhile
      this.calls.value = merged(new Map(), { type: "floor", calls: answer.calls, gone: [], counters: {} }, true, performance.now());
      if (answer.counters) this.counters.value = answer.counters;
      this.news(standing ? "live" : "polling");
    } catch (error) {
      if (this.closed || this.heardAt.value !== before) return;
      this.problem.value = error instanceof Error ? error.message : String(error);
      if (age > STALE_MS) this.freshness.value = "stale";
    } finally {
      this.asking = false;
    }
  }
}
