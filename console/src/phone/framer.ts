// Cuts a stream of microphone samples into 20 ms PCM16 frames with room for the header. Pure.

import { FRAME_SAMPLES, HEADER_BYTES, RATE } from "./wire";
import { Resampler } from "./resample";

export interface CapturedFrame {
  /** 8 empty bytes for the header, then 640 bytes of PCM16 little-endian; null while muted. */
  frame: ArrayBuffer | null;
  /** Capture time of the first sample, counted in samples since the framer began. */
  atMs: number;
  /** Loudness of the frame in dBFS, -90 for silence. */
  level: number;
}

export class Framer {
  muted = false;
  private readonly resampler: Resampler;
  private readonly samples = new Float32Array(FRAME_SAMPLES);
  private filled = 0;
  private captured = 0;

  constructor(rate: number) {
    this.resampler = new Resampler(rate, RATE);
  }

  /** Take a block at the context's rate; `emit` is called for every frame that it completes. */
  push(block: Float32Array, emit: (frame: CapturedFrame) => void): void {
    const input = this.resampler.push(block);
    for (let taken = 0; taken < input.length; ) {
      const count = Math.min(FRAME_SAMPLES - this.filled, input.length - taken);
      this.samples.set(input.subarray(taken, taken + count), this.filled);
      this.filled += count;
      taken += count;
      if (this.filled === FRAME_SAMPLES) emit(this.cut());
    }
  }

  private cut(): CapturedFrame {
    const atMs = Math.round((this.captured * 1000) / RATE);
    this.captured += FRAME_SAMPLES;
    this.filled = 0;
    return { frame: this.muted ? null : pcm16(this.samples), atMs, level: decibels(this.samples) };
  }
}

function pcm16(samples: Float32Array): ArrayBuffer {
  const frame = new ArrayBuffer(HEADER_BYTES + samples.length * 2);
  const view = new DataView(frame);
  for (let i = 0; i < samples.length; i++) {
    const clipped = Math.max(-1, Math.min(1, samples[i] as number));
    view.setInt16(HEADER_BYTES + i * 2, Math.round(clipped * 32767), true);
  }
  return frame;
}

/** Root mean square of samples in -1…1 as dBFS, not below -90. */
export function decibels(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.max(-90, 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12));
}
