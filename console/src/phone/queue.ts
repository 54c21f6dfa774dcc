// The playback queue: jitter buffer, epochs, marks and underruns, in samples. Pure; it never sees a clock.

import { Depth } from "./depth";
import { shorter, span } from "./shorten";
import { isOlder } from "./wire";

export interface Echo {
  name: string;
  /** False when the mark went with a clear: what came before it was not all heard. */
  played: boolean;
}

type Item = { samples: Float32Array } | { mark: string };

const MAX_SECONDS = 60;
/** Audio that comes back within this time after the queue ran dry was late, not a new utterance. */
const LATE_SECONDS = 0.3;
const FADE_SECONDS = 0.005;
/** Between two places where something is left out; a quarter of it where much is to be. */
const CUT_SECONDS = 0.06;
const MUCH_MS = 150;

export class PlayQueue {
  epoch = 0;
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
  private again = false;
  private uncut = 0;
  private readonly depth = new Depth();
  private fade: Float32Array = new Float32Array(0);

  constructor(
    private readonly rate: number,
    private readonly echo: (echo: Echo) => void,
  ) {}

  get bufferedMs(): number {
    return (this.buffered * 1000) / this.rate;
  }

  /** How deep the buffer has to be before it plays. */
  get targetMs(): number {
    return this.depth.targetMs;
  }

  push(epoch: number, samples: Float32Array): void {
    if (isOlder(epoch, this.epoch) || samples.length === 0) return;
    if (epoch !== this.epoch) this.clear(epoch);
    if (this.buffered + samples.length > MAX_SECONDS * this.rate) {
      this.dropped += samples.length;
      return;
    }
    this.running ||= this.dry === 0; // just in time: nothing was missed
    if (this.running) this.depth.arrived(this.bufferedMs);
    else if (this.dry < LATE_SECONDS * this.rate) this.late();
    else if (this.items.length === 0) this.depth.begin();
    this.dry = Number.POSITIVE_INFINITY;
    this.items.push({ samples });
    this.buffered += samples.length;
  }

  mark(name: string): void {
    this.depth.marked();
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
    this.again = false;
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
    this.depth.played((out.length * 1000) / this.rate);
    this.catchUp(out.length);
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

  /** Start when the buffer is deep enough, or would have been by now. */
  private ready(block: number): boolean {
    if (this.items.length === 0) return false;
    const target = ((this.again ? this.depth.againMs : this.depth.targetMs) * this.rate) / 1000;
    const complete = "mark" in (this.items[this.items.length - 1] as Item);
    this.running = this.buffered + this.waited >= target || complete;
    this.waited += block;
    if (this.running) this.again = false;
    return this.running;
  }

  private late(): void {
    this.underruns += 1;
    this.again = true;
    this.depth.late();
  }

  /** Leave out a little of what is buffered beyond need, where it is not heard. */
  private catchUp(block: number): void {
    this.uncut += block;
    const most = Math.floor((this.depth.excessMs * this.rate) / 1000);
    const between = this.depth.excessMs > MUCH_MS ? CUT_SECONDS / 4 : CUT_SECONDS;
    if (most === 0 || this.uncut < between * this.rate) return;
    const head = this.head(span(this.rate));
    if (head === null) return;
    this.uncut = 0;
    const rest = shorter(head.samples, this.rate, most);
    if (rest === null) return;
    this.items.splice(0, head.items, { samples: rest });
    this.offset = 0;
    const gone = head.samples.length - rest.length;
    this.buffered -= gone;
    this.depth.cut((gone * 1000) / this.rate);
  }

  /** What is played next, at least `count` samples, and of how many items; null where a mark is nearer. */
  private head(count: number): { samples: Float32Array; items: number } | null {
    const parts: Float32Array[] = [];
    let length = 0;
    for (let n = 0; length < count; n++) {
      const item = this.items[n];
      if (item === undefined || "mark" in item) return null;
      parts.push(n === 0 ? item.samples.subarray(this.offset) : item.samples);
      length += (parts[n] as Float32Array).length;
    }
    const samples = new Float32Array(length);
    let at = 0;
    for (const part of parts) {
      samples.set(part, at);
      at += part.length;
    }
    return { samples, items: parts.length };
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
