// The loudspeaker's end of the audio graph: plays queued audio, reports every 50 ms. No codec, no socket.

import { PlayQueue } from "./queue";
import { Resampler } from "./resample";
import { decibels } from "./framer";

export type PlaybackCommand =
  | { type: "audio"; epoch: number; rate: number; samples: Float32Array }
  | { type: "mark"; name: string }
  | { type: "clear"; epoch: number };

export type PlaybackReport =
  | { type: "echo"; name: string; played: boolean }
  | {
      type: "progress";
      playedMs: number;
      bufferedMs: number;
      targetMs: number;
      underruns: number;
      level: number;
    };

class Playback extends AudioWorkletProcessor {
  private readonly queue = new PlayQueue(sampleRate, (echo) => this.tell({ type: "echo", ...echo }));
  private resampler = new Resampler(sampleRate, sampleRate);
  private resamplerRate = sampleRate;
  private blocks = 0;
  private loudest = -90;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<PlaybackCommand>) => this.obey(data);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0];
    if (out === undefined) return true;
    this.queue.read(out);
    this.loudest = Math.max(this.loudest, decibels(out));
    this.blocks += 1;
    if (this.blocks * out.length >= sampleRate / 20) this.report();
    return true;
  }

  private obey(command: PlaybackCommand): void {
    if (command.type === "mark") return this.queue.mark(command.name);
    if (command.type === "clear") return this.queue.clear(command.epoch);
    if (command.rate !== this.resamplerRate || command.epoch !== this.queue.epoch) {
      this.resampler = new Resampler(command.rate, sampleRate);
      this.resamplerRate = command.rate;
    }
    this.queue.push(command.epoch, this.resampler.push(command.samples));
  }

  private report(): void {
    const { bufferedMs, targetMs, underruns, played } = this.queue;
    const playedMs = Math.round((played * 1000) / sampleRate);
    this.tell({ type: "progress", playedMs, bufferedMs, targetMs, underruns, level: this.loudest });
    this.blocks = 0;
    this.loudest = -90;
  }

  private tell(report: PlaybackReport): void {
    this.port.postMessage(report);
  }
}

registerProcessor("offhook-playback", Playback);
