// One call as the caller's page sees it: signals to draw, verbs for the buttons. No drawing, no audio graph.

import { signal } from "@preact/signals";
import { endWord } from "../words";
import { hasOpus } from "./opus";
import { type Quality, QualityMeter } from "./quality";
import { CallSocket } from "./socket";
import { NoMicrophone, audioObstacle, openMicrophone } from "./sound";
import { type Line, withMessage } from "./transcript";
import { Voice } from "./voice";
import type { Codec, Downward, Floor, Started } from "./wire";

export type Phase = "permission" | "connecting" | "up" | "lost" | "over";

export interface CallOptions {
  agent: string;
  /** Leave to place this call, where the server asks for one. */
  token: string;
  codec: Codec | "best";
  processing: boolean;
  nativeRate: boolean;
}

const SILENCE_IS_LOSS_MS = 6_000;

export class PhoneCall {
  readonly phase = signal<Phase>("permission");
  readonly floor = signal<Floor>("greeting");
  readonly lines = signal<Line[]>([]);
  readonly muted = signal(false);
  readonly microphone = signal(false);
  /** One sentence about what does not work, or what the server wants the caller to know. */
  readonly notice = signal("");
  readonly ending = signal("");
  readonly quality = signal<Quality>({ roundTripMs: 0, jitterMs: 0, underruns: 0, grade: "unknown" });
  readonly responseMs = signal<number | null>(null);
  readonly callId = signal("");
  readonly deadline = signal(0);
  readonly startedAt = signal(0);
  readonly endedAt = signal(0);
  codec: Codec = "pcm16";
  voice: Voice | null = null;
  private socket: CallSocket | null = null;
  private readonly meter = new QualityMeter();
  private ticker = 0;
  private failure = "";

  constructor(private readonly options: CallOptions) {}

  /** Ask for the microphone, then connect; without one the call goes on as text. Needs a user's gesture. */
  async begin(): Promise<void> {
    await this.openVoice();
    if (this.phase.value === "over") return this.voice?.close();
    this.phase.value = "connecting";
    const wanted = this.options.codec;
    const opus = wanted !== "pcm16" && this.voice !== null && (await hasOpus());
    this.codec = opus ? "opus" : "pcm16";
    const agent = this.options.agent === "" ? {} : { agent: this.options.agent };
    const token = this.options.token === "" ? {} : { token: this.options.token };
    this.socket = new CallSocket(
      socketUrl(),
      { ...agent, ...token, codec: this.codec, audio: this.microphone.value },
      {
        message: (message) => this.received(message),
        audio: (frame) => this.voice?.heard(frame),
        lost: (deadline) => this.lost(deadline),
        closed: (sentence) => this.finish(this.failure || sentence),
      },
    );
    this.ticker = window.setInterval(() => this.tick(), 1000);
    window.addEventListener("pagehide", this.hangUp);
    document.addEventListener("visibilitychange", this.wake);
  }

  readonly hangUp = (): void => {
    if (this.phase.value === "over") return;
    this.socket?.end();
    this.finish("You hung up.");
  };

  say(text: string): boolean {
    return this.socket?.send({ type: "text", text }) ?? false;
  }

  press(digit: string): boolean {
    return this.socket?.send({ type: "dtmf", digit }) ?? false;
  }

  readonly toggleMute = (): void => {
    if (!this.microphone.value || this.phase.value === "over") return;
    this.muted.value = !this.muted.value;
    this.voice?.mute(this.muted.value);
    this.socket?.send({ type: "mute", muted: this.muted.value });
  };

  private async openVoice(): Promise<void> {
    const obstacle = audioObstacle();
    if (obstacle !== null) {
      this.notice.value = obstacle;
      return;
    }
    const stream = await openMicrophone(this.options).catch((error: unknown) => {
      this.notice.value = error instanceof NoMicrophone ? error.message : "The microphone could not be opened.";
      return null;
    });
    try {
      this.voice = await Voice.open(stream, this.options, {
        send: (message) => this.socket?.sendAudio(message) ?? false,
        echo: (name) => this.socket?.send({ type: "mark", name }),
        microphoneLost: () => this.loseMicrophone(),
        codecFailed: () => {
          this.notice.value = "This browser's audio codec failed; hang up and call again.";
        },
      });
      this.microphone.value = stream !== null;
    } catch {
      for (const track of stream?.getTracks() ?? []) track.stop();
      this.notice.value = "This browser could not start its audio, so this call goes on as text.";
    }
  }

  private received(message: Downward): void {
    switch (message.type) {
      case "started":
        return this.up(message);
      case "state":
        this.floor.value = message.state;
        break;
      case "transcript":
        this.lines.value = withMessage(this.lines.value, message);
        break;
      case "latency":
        this.responseMs.value = message.first_audio_ms;
        break;
      case "clear":
        return this.voice?.clear(message.epoch);
      case "mark":
        if (this.voice === null) this.socket?.send({ type: "mark", name: message.name });
        return this.voice?.mark(message.name);
      case "notice":
        this.notice.value = message.text;
        break;
      case "pong":
        return this.meter.pong(message.id, performance.now());
      case "error":
        this.failure = message.message;
        this.notice.value = message.message;
        break;
      case "ended":
        return this.finish(endWord(message.reason));
      default: // a newer server's message, or the levels, which are measured here
    }
  }

  private up(started: Started): void {
    this.callId.value = started.call_id;
    this.startedAt.value ||= performance.now();
    this.codec = started.codec;
    this.failure = "";
    this.meter.reset();
    this.voice?.begin(started.codec, started.epoch);
    this.phase.value = "up";
    if (this.muted.value) this.socket?.send({ type: "mute", muted: true });
    this.tick();
  }

  private lost(deadline: number): void {
    this.voice?.pause();
    this.deadline.value = deadline;
    this.phase.value = "lost";
  }

  private tick(): void {
    if (this.phase.value !== "up") return;
    const now = performance.now();
    if (this.meter.silence(now) > SILENCE_IS_LOSS_MS) return this.socket?.giveUp();
    const quality = this.meter.report(now, this.voice?.underruns ?? 0);
    this.quality.value = quality;
    this.socket?.send({ type: "ping", id: this.meter.ping(now) });
    if (quality.grade === "unknown") return;
    const { roundTripMs, jitterMs, underruns } = quality;
    this.socket?.send({ type: "stats", round_trip_ms: roundTripMs, jitter_ms: jitterMs, underruns });
  }

  private loseMicrophone(): void {
    this.microphone.value = false;
    this.notice.value = "The microphone was disconnected; you still hear the agent and can type.";
  }

  private finish(sentence: string): void {
    if (this.phase.value === "over") return;
    this.phase.value = "over";
    this.ending.value = sentence;
    this.endedAt.value = performance.now();
    window.clearInterval(this.ticker);
    window.removeEventListener("pagehide", this.hangUp);
    document.removeEventListener("visibilitychange", this.wake);
    this.voice?.close();
  }

  private readonly wake = (): void => {
    if (!document.hidden) this.voice?.wake();
  };
}

function socketUrl(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/media/browser`;
}
