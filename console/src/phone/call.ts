// One call as the caller's page sees it: signals to draw, verbs for the buttons. No drawing, no audio graph.

import { signal } from "@preact/signals";
import { endWord } from "../words";
import { type CallLink, type CallVoice, type Transport, type Wish, isNear, waysFor } from "./link";
import { hasOpus } from "./opus";
import { type Quality, QualityMeter } from "./quality";
import { RtcLink, rtcServers } from "./rtc";
import { RtcVoice } from "./rtc-voice";
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
  transport: Wish;
  /** "best": PCM in this machine and in private networks, else Opus where the browser has it. */
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
  readonly transport = signal<Transport>("websocket");
  codec: Codec = "pcm16";
  voice: CallVoice | null = null;
  private link: CallLink | null = null;
  /** What the call socket brings is played by us. */
  private player: Voice | null = null;
  private stream: MediaStream | null = null;
  private ways: Transport[] = [];
  private readonly meter = new QualityMeter();
  private ticker = 0;
  private failure = "";

  constructor(private readonly options: CallOptions) {}

  /** Ask for the microphone, then connect; without one the call goes on as text. Needs a user's gesture. */
  async begin(): Promise<void> {
    const able = await this.openMicrophone();
    if (this.isOver) return this.release();
    this.phase.value = "connecting";
    this.ways = waysFor(this.options.transport, able);
    this.ticker = window.setInterval(() => this.tick(), 1000);
    window.addEventListener("pagehide", this.hangUp);
    document.addEventListener("visibilitychange", this.wake);
    await this.connect(able, "");
  }

  /** By the next way that is left; `sentence` is why the last one failed. */
  private async connect(able: boolean, sentence: string): Promise<void> {
    const way = this.ways.shift();
    if (way === undefined) return this.finish(sentence);
    this.transport.value = way;
    if (way === "websocket") return this.connectSocket(able);
    if (await this.connectRtc()) return;
    if (this.isOver) return;
    if (this.ways.length > 0) this.notice.value = "WebRTC did not connect; this call goes by WebSocket.";
    await this.connect(able, sentence || "The server could not be reached. Please try again.");
  }

  private async connectSocket(able: boolean): Promise<void> {
    if (able) await this.openVoice();
    if (this.isOver) return this.release();
    const wanted = this.options.codec;
    const small = wanted === "opus" || (wanted === "best" && !isNear(location.hostname));
    const opus = small && this.player !== null && (await hasOpus());
    if (this.isOver) return this.release();
    this.codec = opus ? "opus" : "pcm16";
    this.link = new CallSocket(
      socketUrl(),
      { ...this.named, codec: this.codec, audio: this.microphone.value },
      {
        message: (message) => this.received(message),
        audio: (frame) => this.player?.heard(frame),
        lost: (deadline) => this.lost(deadline),
        closed: (said, reached) => {
          if (reached || this.ways.length === 0) return this.finish(this.failure || said);
          this.player?.leave();
          this.voice = this.player = null;
          this.notice.value = "The call socket did not connect; this call goes by WebRTC.";
          void this.connect(able, said);
        },
      },
    );
  }

  /** Whether the call came up. */
  private async connectRtc(): Promise<boolean> {
    const servers = await rtcServers();
    if (servers === null || this.isOver) return false;
    this.codec = "opus";
    let sound: RtcVoice | null = null;
    const start = { agent: this.options.agent, token: this.options.token };
    const link = await RtcLink.open(this.stream, servers, start, {
      message: (message) => this.received(message),
      heard: (connection, remote) => {
        sound = new RtcVoice(connection, remote, this.stream, () => this.loseMicrophone());
        if (this.muted.value) sound.mute(true);
        this.voice = sound;
      },
      lost: (deadline) => this.lost(deadline),
      found: () => {
        this.meter.reset();
        this.phase.value = "up";
      },
      closed: (sentence) => this.finish(this.failure || sentence),
    }).catch(() => null); // a browser may refuse the servers that it is given
    if (link !== null && !this.isOver) {
      this.link = link;
      return true;
    }
    link?.end();
    (sound as RtcVoice | null)?.release();
    this.voice = null;
    return false;
  }

  private get named(): { agent?: string; token?: string } {
    const agent = this.options.agent === "" ? {} : { agent: this.options.agent };
    const token = this.options.token === "" ? {} : { token: this.options.token };
    return { ...agent, ...token };
  }

  private get isOver(): boolean {
    return this.phase.value === "over";
  }

  readonly hangUp = (): void => {
    if (this.phase.value === "over") return;
    this.link?.end();
    this.finish("You hung up.");
  };

  say(text: string): boolean {
    return this.link?.send({ type: "text", text }) ?? false;
  }

  press(digit: string): boolean {
    return this.link?.send({ type: "dtmf", digit }) ?? false;
  }

  readonly toggleMute = (): void => {
    if (!this.microphone.value || this.phase.value === "over") return;
    this.muted.value = !this.muted.value;
    this.voice?.mute(this.muted.value);
    this.link?.send({ type: "mute", muted: this.muted.value });
  };

  /** Whether this page may have sound at all. */
  private async openMicrophone(): Promise<boolean> {
    const obstacle = audioObstacle();
    if (obstacle !== null) {
      this.notice.value = obstacle;
      return false;
    }
    this.stream = await openMicrophone(this.options).catch((error: unknown) => {
      this.notice.value = error instanceof NoMicrophone ? error.message : "The microphone could not be opened.";
      return null;
    });
    this.microphone.value = this.stream !== null;
    return true;
  }

  private async openVoice(): Promise<void> {
    try {
      this.player = await Voice.open(this.stream, this.options, {
        send: (message) => (this.link instanceof CallSocket ? this.link.sendAudio(message) : false),
        echo: (name) => this.link?.send({ type: "mark", name }),
        microphoneLost: () => this.loseMicrophone(),
        codecFailed: () => {
          this.notice.value = "This browser's audio codec failed; hang up and call again.";
        },
      });
      this.voice = this.player;
      if (this.muted.value) this.player.mute(true);
    } catch {
      this.release();
      this.microphone.value = false;
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
        return this.player?.clear(message.epoch);
      case "mark":
        if (this.player === null) this.link?.send({ type: "mark", name: message.name });
        return this.player?.mark(message.name);
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
    this.player?.begin(started.codec, started.epoch);
    this.phase.value = "up";
    if (this.muted.value) this.link?.send({ type: "mute", muted: true });
    this.tick();
  }

  private lost(deadline: number): void {
    this.player?.pause();
    this.deadline.value = deadline;
    this.phase.value = "lost";
  }

  private tick(): void {
    if (this.phase.value !== "up") return;
    const now = performance.now();
    if (this.meter.silence(now) > SILENCE_IS_LOSS_MS) return this.link?.giveUp();
    const quality = this.meter.report(now, this.voice?.underruns ?? 0);
    this.quality.value = quality;
    this.link?.send({ type: "ping", id: this.meter.ping(now) });
    if (quality.grade === "unknown") return;
    const { roundTripMs, jitterMs, underruns } = quality;
    this.link?.send({ type: "stats", round_trip_ms: roundTripMs, jitter_ms: jitterMs, underruns });
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
    this.release();
  }

  /** Sound and microphone. */
  private release(): void {
    this.voice?.close();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
  }

  private readonly wake = (): void => {
    if (!document.hidden) this.voice?.wake();
  };
}

function socketUrl(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/media/browser`;
}
