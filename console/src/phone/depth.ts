// How deep the playback buffer has to be, by how little was left each time that more came. Pure, in milliseconds.

const FRAME_MS = 20;
const MIN_RESERVE_MS = 10;
const MAX_RESERVE_MS = 200;
const STEP_MS = 10;
const CALM_MS = 8_000;
const WINDOW_MS = 600;
/** A sender that asks for marks keeps this much ahead of the ear by itself: it is left alone. */
const AHEAD_MS = 100;
const MARKED_MS = 2_000;

export class Depth {
  /** What is kept although nothing came late by as much lately. */
  reserveMs = 20;
  /** By how much arrivals differ. */
  spreadMs = 0;
  /** What is buffered beyond need: may be left out. */
  excessMs = 0;
  private least = Number.POSITIVE_INFINITY;
  private sum = 0;
  private count = 0;
  private passed = 0;
  private calm = 0;
  private sinceMark = Number.POSITIVE_INFINITY;

  /** So much has to be there before playing begins. */
  get targetMs(): number {
    return FRAME_MS + this.reserveMs + this.spreadMs;
  }

  /** The same after what came late: nothing comes much later. */
  get againMs(): number {
    return FRAME_MS / 2 + this.reserveMs;
  }

  /** More came while there were still `leftMs` to play. */
  arrived(leftMs: number): void {
    this.least = Math.min(this.least, leftMs);
    this.sum += leftMs;
    this.count += 1;
  }

  /** It came when nothing was left. */
  late(): void {
    this.reserveMs = Math.min(MAX_RESERVE_MS, this.reserveMs + STEP_MS);
    this.calm = 0;
    this.excessMs = 0;
    this.begin();
  }

  marked(): void {
    this.sinceMark = 0;
  }

  /** So much was played. */
  played(ms: number): void {
    this.sinceMark += ms;
    this.calm += ms;
    this.passed += ms;
    if (this.calm >= CALM_MS) {
      this.calm = 0;
      this.reserveMs = Math.max(MIN_RESERVE_MS, this.reserveMs - STEP_MS / 2);
    }
    if (this.passed >= WINDOW_MS) this.judge();
  }

  /** So much was left out. */
  cut(ms: number): void {
    this.excessMs = Math.max(0, this.excessMs - ms);
    this.least -= ms;
    this.sum -= ms * this.count;
  }

  /** What was measured no longer holds: another utterance. */
  begin(): void {
    this.least = Number.POSITIVE_INFINITY;
    this.sum = this.count = this.passed = 0;
  }

  private judge(): void {
    if (this.count > 0) {
      const spread = 2 * (this.sum / this.count - this.least);
      this.spreadMs = Math.min(MAX_RESERVE_MS, Math.max(spread, (this.spreadMs + spread) / 2));
      const kept = this.sinceMark < MARKED_MS ? Math.max(AHEAD_MS, this.reserveMs) : this.reserveMs;
      this.excessMs = Math.max(0, this.least - kept);
    }
    this.begin();
  }
}
