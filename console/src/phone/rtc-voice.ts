// The sound of a call by WebRTC: the browser plays and sends it; here it is measured and muted. No signalling.

import type { CallVoice } from "./link";

const FLOOR_DB = -90;

export class RtcVoice implements CallVoice {
  framesSent = 0;
  playedMs = 0;
  bufferedMs = 0;
  underruns = 0;
  private readonly context = new AudioContext({ latencyHint: "interactive" });
  private readonly player = new Audio();
  private readonly agent: Gauge;
  private readonly caller: Gauge | null;
  private readonly ticker: number;

  constructor(
    private readonly connection: RTCPeerConnection,
    remote: MediaStream,
    private readonly stream: MediaStream | null,
    microphoneLost: () => void,
  ) {
    this.player.srcObject = remote;
    this.player.autoplay = true;
    this.agent = new Gauge(this.context, remote);
    this.caller = stream === null ? null : new Gauge(this.context, stream);
    stream?.getAudioTracks()[0]?.addEventListener("ended", microphoneLost, { once: true });
    this.ticker = window.setInterval(() => void this.count(), 500);
    this.wake();
  }

  get rms(): number {
    return this.agent.rms;
  }

  get rate(): number {
    return this.context.sampleRate;
  }

  get callerLevel(): number {
    return this.caller?.level ?? FLOOR_DB;
  }

  get agentLevel(): number {
    return this.agent.level;
  }

  mute(muted: boolean): void {
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  wake(): void {
    if (this.context.state !== "running") void this.context.resume();
    void this.player.play().catch(() => undefined);
  }

  close(): void {
    this.release();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
  }

  /** Leave the microphone to another. */
  release(): void {
    window.clearInterval(this.ticker);
    this.player.srcObject = null;
    if (this.context.state !== "closed") void this.context.close();
  }

  /** What the browser has counted. */
  private async count(): Promise<void> {
    if (this.connection.connectionState !== "connected") return;
    for (const report of (await this.connection.getStats()).values()) {
      const figures = report as Record<string, number | string | undefined>;
      const number = (name: string) => Number(figures[name] ?? 0);
      if (figures.type === "outbound-rtp" && figures.kind === "audio") this.framesSent = number("packetsSent");
      if (figures.type === "inbound-rtp" && figures.kind === "audio") {
        this.playedMs = (number("totalSamplesReceived") - number("concealedSamples")) / 48;
        this.underruns = number("concealmentEvents");
        this.bufferedMs = (number("jitterBufferDelay") / Math.max(1, number("jitterBufferEmittedCount"))) * 1000;
      }
    }
  }
}

class Gauge {
  private readonly node: AnalyserNode;
  private readonly samples: Float32Array<ArrayBuffer>;

  constructor(
    private readonly context: AudioContext,
    stream: MediaStream,
  ) {
    this.node = new AnalyserNode(context, { fftSize: 1024 });
    this.samples = new Float32Array(this.node.fftSize);
    if (stream.getAudioTracks().length > 0) context.createMediaStreamSource(stream).connect(this.node);
  }

  /** Root mean square (0…1) of what sounds now. */
  get rms(): number {
    if (this.context.state !== "running") return 0;
    this.node.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const sample of this.samples) sum += sample * sample;
    return Math.sqrt(sum / this.samples.length);
  }

  get level(): number {
    return Math.max(FLOOR_DB, 20 * Math.log10(this.rms + 1e-9));
  }
}
