import { describe, expect, it } from "vitest";
import { Depth } from "../src/phone/depth";
import { shorter, span } from "../src/phone/shorten";

const RATE = 16_000;
const sine = (hertz: number, ms: number) =>
  Float32Array.from({ length: (ms * RATE) / 1000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / RATE));

describe("Depth", () => {
  it("finds what is too much by the least that was left", () => {
    const depth = new Depth();
    for (let n = 0; n < 30; n++) {
      depth.arrived(n === 9 ? 70 : 90);
      depth.played(20);
    }
    expect(depth.excessMs).toBe(70 - depth.reserveMs);
    depth.cut(30);
    expect(depth.excessMs).toBe(40 - depth.reserveMs);
  });

  it("keeps more after what came late, and less again after calm", () => {
    const depth = new Depth();
    depth.late();
    depth.late();
    expect(depth.reserveMs).toBe(40);
    for (let ms = 0; ms < 80_000; ms += 20) depth.played(20);
    expect(depth.reserveMs).toBe(10);
  });

  it("waits longer where arrivals differ more", () => {
    const depth = new Depth();
    const calm = depth.targetMs;
    for (let n = 0; n < 30; n++) {
      depth.arrived(20 + (n % 2) * 30);
      depth.played(20);
    }
    expect(depth.targetMs).toBe(calm + 30);
    expect(depth.againMs).toBeLessThan(calm);
  });

  it("counts what is cut out of what it has seen in the same window", () => {
    const depth = new Depth();
    const window = (left: number) => {
      for (let n = 0; n < 30; n++) {
        depth.arrived(left);
        depth.played(20);
      }
    };
    window(60);
    depth.arrived(60);
    depth.cut(40);
    window(20);
    expect(depth.excessMs).toBe(0);
  });
});

describe("shorter", () => {
  it("leaves out one period of a voice", () => {
    const rest = shorter(sine(200, 30), RATE, 1_000);
    expect((480 - (rest?.length ?? 0)) % 80).toBe(0);
    const off = rest?.map((sample, i) => Math.abs(sample - (sine(200, 30)[i] as number))) ?? [1];
    expect(Math.max(...off)).toBeLessThan(0.01);
  });

  it("leaves out the most of silence", () => {
    expect(shorter(new Float32Array(span(RATE)), RATE, 1_000)?.length).toBe(240);
    expect(shorter(new Float32Array(span(RATE)), RATE, 100)?.length).toBe(380);
  });

  it("leaves noise, and what is too short, as it is", () => {
    let seed = 1;
    const noise = new Float32Array(480).map(() => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647 - 0.5);
    expect(shorter(noise, RATE, 1_000)).toBeNull();
    expect(shorter(noise.slice(0, 60), RATE, 1_000)).toBeNull();
    expect(shorter(noise, RATE, 10)).toBeNull();
  });
});
