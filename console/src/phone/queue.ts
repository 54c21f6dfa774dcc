// The playback queue: jitter buffer, epochs, marks and underruns, in samples. Pure; it never sees a clock.

import { isOlder } from "./wire";

export interface Echo {
  name: string;
  /** False when the mark went with a clear: what came before it was not all heard. */
  played: boolean;
}

type Item = { samples: Float32Array } | { mark: string };

const MAX_SECONDS = 60;
const MIN_TARGET_MS = 40;
const MAX_TARGET_MS = 240;
const STEP_MS = 20;
const CALM_SECONDS = 8;
/** Audio that comes back within this time after the queue ran dry was late, not a new utterance. */
const LATE_SECONDS = 0.3;
const FADE_SECONDS = 0.005;

export class PlayQueue {
  epoch = 0;
  targetMs = 60;
  underruns = 0;
  dropped = 0;
  /** Samples heard since the call began. */
  played = 0;

  private items: Item[] = [];
  private offset = 0;
  private buffered = 0;
  private running = false;
  private waited = 0;
  private dry = Number.POSITIVE_INFINITY;
  private calm = 0;
  private fade: Float32Array = new Float32Array(0);

  constructor(
    private readonly rate: number,
    private readonly echo: (echo: Echo) => void,
  ) {}

  get bufferedMs(): number {
    return (this.buffered * 1000) / this.rate;
  }

  push(epoch: number, samples: Float32Array): void {
    if (isOlder(epoch, this.epoch) || samples.length === 0) return;
    if (epoch !== this.epoch) this.clear(epoch);
    if (this.buffered + samples.length > MAX_SECONDS * this.rate) {
      this.dropped += samples.length;
      return;
    }
    if (this.dry < LATE_SECONDS * this.rate) this.late();
    this.dry = Number.POSITIVE_INFINITY;
    this.items.push({ samples });
    this.buffered += samples.length;
  }

  mark(name: string): void {
    if (this.items.length === 0) {
      this.dry = Number.POSITIVE_INFINITY;
      this.echo({ name, played: true });
    } else {
      this.items.push({ mark: name });
    }
  }

  /** Forget all that was not heard, but for a 5 ms fade so that the cut does not click. */
  clear(epoch: number): void {
    this.fade = this.running ? this.tail(Math.round(FADE_SECONDS * this.rate)) : this.fade;
    const marks = this.items.filter((item) => "mark" in item);
    this.items = [];
    this.offset = 0;
    this.buffered = 0;
    this.stop();
    this.dry = Number.POSITIVE_INFINITY;
    this.epoch = epoch;
    for (const { mark } of marks) this.echo({ name: mark, played: false });
  }

  /** Fill one block for the loudspeaker; silence where there is nothing to play. */
  read(out: Float32Array): void {
    out.fill(0);
    this.playFade(out);
    if (!this.running && !this.ready(out.length)) {
      this.dry += out.length;
      return;
    }
    this.relax(out.length);
    let filled = 0;
    while (filled < out.length && this.items.length > 0) {
      const item = this.items[0] as Item;
      if ("mark" in item) {
        this.items.shift();
        this.echo({ name: item.mark, played: true });
        if (this.items.length === 0) return this.stop();
        continue;
      }
      const count = Math.min(item.samples.length - this.offset, out.length - filled);
      for (let i = 0; i < count; i++) {
        out[filled + i] = (out[filled + i] as number) + (item.samples[this.offset + i] as number);
      }
      filled += count;
      this.offset += count;
      this.buffered -= count;
      this.played += count;
      if (this.offset === item.samples.length) {
        this.items.shift();
        this.offset = 0;
      }
    }
    if (this.items.length === 0) this.runDry(out.length - filled);
  }

  private runDry(silence: number): void {
    this.stop();
    this.dry = silence;
  }

  private stop(): void {
    this.running = false;
    this.waited = 0;
  }

  /** Start when the buffer is deep enough, or has waited as long as it is meant to be deep. */
  private ready(block: number): boolean {
    if (this.items.length === 0) return false;
    const target = (this.targetMs * this.rate) / 1000;
    const complete = "mark" in (this.items[this.items.length - 1] as Item);
    this.running = this.buffered >= target || this.waited >= target || complete;
    this.waited += block;
    return this.running;
  }

  private late(): void {
    this.underruns += 1;
    this.calm = 0;
    this.targetMs = Math.min(MAX_TARGET_MS, this.targetMs + STEP_MS);
  }

  private relax(block: number): void {
    this.calm += block;
    if (this.calm < CALM_SECONDS * this.rate) return;
    this.calm = 0;
    this.targetMs = Math.max(MIN_TARGET_MS, this.targetMs - STEP_MS / 2);
  }

  private tail(count: number): Float32Array {
    const first = this.items[0];
    if (first === undefined || "mark" in first) return new Float32Array(0);
    const cut = first.samples.slice(this.offset, this.offset + count);
    return cut.map((sample, i) => sample * (1 - (i + 1) / cut.length));
  }

  private playFade(out: Float32Array): void {
    if (this.fade.length === 0) return;
    out.set(this.fade.subarray(0, out.length));
    this.fade = this.fade.slice(out.length);
  }
}
