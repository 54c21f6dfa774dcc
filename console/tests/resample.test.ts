import { describe, expect, it } from "vitest";
import { Framer, decibels } from "../src/phone/framer";
import { Resampler } from "../src/phone/resample";

function sine(rate: number, hertz: number, seconds: number): Float32Array {
  return Float32Array.from({ length: rate * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));
}

/** Feed in blocks of 128, as a worklet does. */
function convert(resampler: Resampler, input: Float32Array): Float32Array {
  const pieces: number[] = [];
  for (let i = 0; i < input.length; i += 128) pieces.push(...resampler.push(input.subarray(i, i + 128)));
  return Float32Array.from(pieces);
}

/** Power of everything but the best-fitting sine of `hertz`, in dB below that sine. */
function noise(samples: Float32Array, rate: number, hertz: number): number {
  let s = 0;
  let c = 0;
  let power = 0;
  for (const [i, x] of samples.entries()) {
    s += x * Math.sin((2 * Math.PI * hertz * i) / rate);
    c += x * Math.cos((2 * Math.PI * hertz * i) / rate);
    power += x * x;
  }
  const tone = (2 * (s * s + c * c)) / samples.length;
  return 10 * Math.log10(Math.max(1e-12, power - tone) / tone);
}

describe("Resampler", () => {
  it.each([
    [48_000, 16_000],
    [44_100, 16_000],
    [16_000, 48_000],
    [16_000, 44_100],
  ])("keeps a sine clean from %i to %i Hz, with no clicks between blocks", (from, to) => {
    const out = convert(new Resampler(from, to), sine(from, 1000, 1));
    expect(Math.abs(out.length - to)).toBeLessThanOrEqual(2);
    const settled = out.slice(to * 0.05, to * 0.95);
    expect(noise(settled, to, 1000)).toBeLessThan(-60);
    expect(decibels(settled)).toBeCloseTo(decibels(sine(to, 1000, 1)), 1);
  });

  it("keeps out what the lower rate cannot hold", () => {
    const out = convert(new Resampler(48_000, 16_000), sine(48_000, 10_000, 1));
    expect(decibels(out.slice(800))).toBeLessThan(-60);
  });
});

describe("Framer", () => {
  it("cuts 20 ms frames that count time in samples", () => {
    const framer = new Framer(48_000);
    const frames: { atMs: number; bytes: number; level: number }[] = [];
    const input = sine(48_000, 500, 1);
    for (let i = 0; i < input.length; i += 128) {
      framer.push(input.subarray(i, i + 128), ({ atMs, frame, level }) =>
        frames.push({ atMs, bytes: frame?.byteLength ?? 0, level }),
      );
    }
    expect(frames.length).toBeGreaterThanOrEqual(49);
    expect(frames.map(({ atMs }) => atMs)).toEqual(frames.map((_, i) => i * 20));
    expect(frames.every(({ bytes }) => bytes === 648)).toBe(true);
    expect(frames[10]?.level).toBeCloseTo(-9.03, 1);
  });

  it("gives no sound while muted, but goes on counting time and level", () => {
    const framer = new Framer(16_000);
    const seen: { atMs: number; silent: boolean }[] = [];
    const take = () =>
      framer.push(new Float32Array(320).fill(0.5), ({ atMs, frame }) => seen.push({ atMs, silent: frame === null }));
    take();
    framer.muted = true;
    take();
    framer.muted = false;
    take();
    expect(seen).toEqual([
      { atMs: 0, silent: false },
      { atMs: 20, silent: true },
      { atMs: 40, silent: false },
    ]);
  });

  it("clips instead of wrapping", () => {
    const framer = new Framer(16_000);
    framer.push(new Float32Array(320).fill(1.7), ({ frame }) => {
      expect(new DataView(frame as ArrayBuffer).getInt16(8, true)).toBe(32767);
    });
  });
});
