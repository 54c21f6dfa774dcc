// The call socket: opens, starts or resumes, and comes back within ten seconds when it is lost. No sound.

import type { CallLink } from "./link";
import { type AudioFrame, type Downward, type Start, type Upward, readFrame, readMessage } from "./wire";

export const RESUME_MS = 10_000;
const FIRST_ATTEMPT_MS = 10_000;
const ATTEMPT_MS = 4_000;
const RETRY_MS = 700;
const MAX_BUFFERED = 65_536;

/** Closes after which coming back is pointless, and what to tell the caller. */
const FINAL: Record<number, string> = {
  1000: "The call has ended.",
  1003: "The call ended: the server did not understand this page. Reload it and try again.",
  1007: "The call ended: the server did not understand this page. Reload it and try again.",
  1008: "The server did not allow this call.",
  1009: "The call ended: this page sent a message that is too big.",
  1013: "All lines are busy. Please try again in a moment.",
  4404: "The call could not be resumed; the server had already ended it.",
};

export interface SocketEvents {
  message(message: Downward): void;
  audio(frame: AudioFrame): void;
  /** The connection broke; it comes back until `deadline` (performance.now() time). */
  lost(deadline: number): void;
  /** It is over, with a sentence saying why; `reached`: the server was there. Told once. */
  closed(sentence: string, reached: boolean): void;
}

export class CallSocket implements CallLink {
  skipped = 0;
  private socket: WebSocket | null = null;
  private resume = "";
  private deadline = 0;
  private timer = 0;
  private over = false;

  constructor(
    private readonly url: string,
    private readonly start: Omit<Start, "type" | "version" | "resume">,
    private readonly events: SocketEvents,
  ) {
    window.addEventListener("online", this.retryNow);
    this.connect();
  }

  get connected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(message: Upward): boolean {
    if (!this.connected) return false;
    this.socket?.send(JSON.stringify(message));
    return true;
  }

  /** Send an audio message; skipped, not queued, where the network cannot keep up. */
  sendAudio(message: ArrayBuffer): boolean {
    if (this.resume === "" || !this.connected) return false;
    if ((this.socket?.bufferedAmount ?? 0) > MAX_BUFFERED) {
      this.skipped += 1;
      return false;
    }
    this.socket?.send(message);
    return true;
  }

  /** Treat the connection as lost although it has not closed (no answer for too long). */
  giveUp(): void {
    const socket = this.detach();
    socket?.close();
    this.dropped(1006);
  }

  /** Hang up; no event follows. */
  end(): void {
    this.send({ type: "end" });
    this.finish();
  }

  private connect(): void {
    this.detach()?.close();
    const socket = new WebSocket(this.resume === "" ? this.url : `${this.url}?resume=1`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    const left = this.deadline - performance.now();
    const patience = this.deadline === 0 ? FIRST_ATTEMPT_MS : Math.min(ATTEMPT_MS, Math.max(0, left));
    this.timer = window.setTimeout(() => this.giveUp(), patience);
    socket.onopen = () => {
      const resume = this.resume === "" ? {} : { resume: this.resume };
      this.send({ type: "start", version: 1, ...this.start, ...resume });
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.received(data);
    socket.onclose = ({ code }) => {
      if (this.socket === socket) this.dropped(code);
    };
  }

  private received(data: string | ArrayBuffer): void {
    if (typeof data !== "string") {
      const frame = readFrame(data);
      if (frame !== null) this.events.audio(frame);
      return;
    }
    const message = readMessage(data);
    if (message === null) return;
    if (message.type === "started") {
      window.clearTimeout(this.timer);
      this.resume = message.resume;
      this.deadline = 0;
    }
    if (message.type === "ended") this.finish();
    this.events.message(message);
  }

  private dropped(code: number): void {
    window.clearTimeout(this.timer);
    if (this.over) return;
    const sentence = FINAL[code];
    if (sentence !== undefined) return this.closed(sentence);
    if (this.resume === "") return this.closed("The server could not be reached. Please try again.", false);
    const now = performance.now();
    if (this.deadline === 0) this.deadline = now + RESUME_MS;
    if (now + RETRY_MS >= this.deadline) return this.closed("The connection was lost and did not come back in time.");
    this.events.lost(this.deadline);
    this.timer = window.setTimeout(() => this.connect(), RETRY_MS);
  }

  private readonly retryNow = (): void => {
    if (this.over || this.deadline === 0 || this.socket?.readyState === WebSocket.CONNECTING) return;
    window.clearTimeout(this.timer);
    this.connect();
  };

  private closed(sentence: string, reached = true): void {
    this.finish();
    this.events.closed(sentence, reached);
  }

  private finish(): void {
    this.over = true;
    window.clearTimeout(this.timer);
    window.removeEventListener("online", this.retryNow);
    this.detach()?.close();
  }

  private detach(): WebSocket | null {
    const socket = this.socket;
    this.socket = null;
    return socket;
  }
}
