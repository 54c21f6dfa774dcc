import { describe, expect, it } from "vitest";
import { type Echo, PlayQueue } from "../src/phone/queue";

const RATE = 16_000;
const BLOCK = 128;

function make() {
  const echoes: Echo[] = [];
  const queue = new PlayQueue(RATE, (echo) => echoes.push(echo));
  const read = (ms: number) => {
    const heard: number[] = [];
    for (let n = 0; n < (ms * RATE) / 1000; n += BLOCK) {
      const block = new Float32Array(BLOCK);
      queue.read(block);
      heard.push(...block);
    }
    return heard;
  };
  return { queue, echoes, read };
}

const tone = (ms: number, value = 0.5) => new Float32Array((ms * RATE) / 1000).fill(value);
const loud = (samples: number[]) => samples.filter((sample) => sample !== 0).length;

describe("PlayQueue", () => {
  it("holds the first audio back until the buffer is deep enough", () => {
    const { queue, read } = make();
    queue.push(0, tone(20));
    expect(loud(read(16))).toBe(0);
    queue.push(0, tone(20));
    expect(loud(read(8))).toBe(BLOCK);
  });

  it("plays a short utterance at once when its mark is there, and echoes the mark after it", () => {
    const { queue, read, echoes } = make();
    queue.push(0, tone(20));
    queue.mark("end");
    expect(loud(read(16))).toBe(256);
    expect(echoes).toEqual([]);
    read(16);
    expect(echoes).toEqual([{ name: "end", played: true }]);
    expect(queue.played).toBe(320);
  });

  it("plays a short utterance without a mark once it has waited", () => {
    const { queue, read } = make();
    queue.push(0, tone(20));
    expect(loud(read(120))).toBe(320);
  });

  it("echoes a mark at once when there is nothing to play", () => {
    const { queue, echoes } = make();
    queue.mark("idle");
    expect(echoes).toEqual([{ name: "idle", played: true }]);
  });

  it("clears with a fade, gives pending marks back as unheard, and drops the old epoch", () => {
    const { queue, read, echoes } = make();
    queue.push(0, tone(100));
    queue.mark("late");
    read(24);
    queue.clear(1);
    expect(echoes).toEqual([{ name: "late", played: false }]);
    queue.push(0, tone(100));
    const after = read(40);
    const fade = after.slice(0, 80);
    expect(fade.every((sample, i) => i === 0 || sample <= (fade[i - 1] as number))).toBe(true);
    expect(fade[79]).toBe(0);
    expect(loud(after.slice(80))).toBe(0);
    expect(queue.bufferedMs).toBe(0);
  });

  it("takes a newer epoch as a clear, across the wrap of sixteen bits", () => {
    const { queue } = make();
    queue.epoch = 0xffff;
    queue.push(0xffff, tone(20, 0.1));
    queue.push(0, tone(20, 0.9));
    expect(queue.epoch).toBe(0);
    queue.push(0xffff, tone(20, 0.1));
    expect(queue.bufferedMs).toBe(20);
  });

  it("counts an underrun when audio was late, and deepens the buffer", () => {
    const { queue, read } = make();
    queue.push(0, tone(60));
    read(100);
    queue.push(0, tone(60));
    expect(queue.underruns).toBe(1);
    expect(queue.targetMs).toBe(50);
    expect(loud(read(8))).toBe(BLOCK); // enough for what came late
  });

  it("takes what comes just in time as it comes", () => {
    const { queue, read } = make();
    queue.push(0, tone(48));
    read(48);
    queue.push(0, tone(16));
    expect(loud(read(16))).toBe(256);
    expect(queue.underruns).toBe(0);
  });

  it("does not call the end of an utterance an underrun", () => {
    const { queue, read } = make();
    queue.push(0, tone(60));
    queue.mark("end");
    read(100);
    queue.push(0, tone(60));
    read(100);
    queue.mark("came after its audio");
    queue.push(0, tone(60));
    read(1000);
    queue.push(0, tone(60));
    expect(queue.underruns).toBe(0);
  });

  it("gives delay back after a stall, by leaving out silence", () => {
    const { queue, read } = make();
    queue.push(0, tone(200, 0));
    const live = (ms: number) => {
      for (let n = 0; n < ms; n += 40) {
        read(40);
        queue.push(0, tone(20, 0));
        queue.push(0, tone(20, 0));
      }
    };
    live(3_000);
    expect(queue.bufferedMs).toBeLessThan(70);
    expect(queue.underruns).toBe(0);
  });

  it("gives delay back in the middle of a voice, which stays whole", () => {
    const { queue, read } = make();
    let at = 0;
    const voice = (ms: number) =>
      Float32Array.from({ length: (ms * RATE) / 1000 }, () => 0.5 * Math.sin((2 * Math.PI * 200 * at++) / RATE));
    queue.push(0, voice(300));
    const heard: number[] = [];
    for (let n = 0; n < 120; n++) {
      heard.push(...read(40));
      queue.push(0, voice(40));
    }
    expect(queue.bufferedMs).toBeLessThan(100);
    const jumps = heard.slice(1).map((sample, i) => Math.abs(sample - (heard[i] as number)));
    expect(Math.max(...jumps)).toBeLessThan(0.06); // of the sine itself: 0.04
  });

  it("leaves a sender alone that asks for marks: it keeps ahead by itself", () => {
    const { queue, read } = make();
    queue.push(0, tone(100, 0));
    for (let n = 0; n < 3_000; n += 40) {
      read(40);
      queue.push(0, tone(40, 0));
      if (n % 480 === 0) queue.mark(`${n}`);
    }
    expect(queue.bufferedMs).toBeGreaterThanOrEqual(90);
  });

  it("is bounded: what exceeds a minute is dropped and counted", () => {
    const { queue } = make();
    queue.push(0, tone(59_990));
    queue.push(0, tone(20));
    expect(queue.bufferedMs).toBe(59_990);
    expect(queue.dropped).toBe(320);
  });
});
