// How good the caller's connection is: round trip, its jitter, underruns, and one plain word. Pure.

export type Grade = "unknown" | "good" | "fair" | "poor";

export interface Quality {
  roundTripMs: number;
  jitterMs: number;
  underruns: number;
  grade: Grade;
}

const KEPT = 5;
const RECENT_MS = 10_000;
const SILENT_MS = 3_500;

export class QualityMeter {
  private readonly sent = new Map<number, number>();
  private trips: number[] = [];
  private jitter = 0;
  private underruns: { at: number; total: number }[] = [];
  private id = 0;

  /** A new ping's id, sent at `now` (ms). */
  ping(now: number): number {
    this.id += 1;
    this.sent.set(this.id, now);
    return this.id;
  }

  pong(id: number, now: number): void {
    const at = this.sent.get(id);
    if (at === undefined) return;
    for (const older of this.sent.keys()) if (older <= id) this.sent.delete(older);
    const trip = now - at;
    const last = this.trips[this.trips.length - 1];
    if (last !== undefined) this.jitter += (Math.abs(trip - last) - this.jitter) / 4;
    this.trips = [...this.trips, trip].slice(-KEPT);
  }

  /** Milliseconds since the oldest ping without an answer was sent; 0 when all were answered. */
  silence(now: number): number {
    const oldest = this.sent.values().next();
    return oldest.done ? 0 : now - oldest.value;
  }

  /** The connection is new: what was asked on the old one will not be answered. */
  reset(): void {
    this.sent.clear();
    this.trips = [];
    this.jitter = 0;
  }

  report(now: number, underruns: number): Quality {
    this.underruns.push({ at: now, total: underruns });
    while (this.underruns.length > 1 && now - (this.underruns[0]?.at ?? now) > RECENT_MS) this.underruns.shift();
    const recent = underruns - (this.underruns[0]?.total ?? underruns);
    const sorted = [...this.trips].sort((a, b) => a - b);
    const roundTripMs = Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
    const jitterMs = Math.round(this.jitter);
    return { roundTripMs, jitterMs, underruns, grade: this.grade(now, roundTripMs, jitterMs, recent) };
  }

  private grade(now: number, roundTrip: number, jitter: number, recent: number): Grade {
    if (this.silence(now) > SILENT_MS || roundTrip > 400 || jitter > 100 || recent > 3) return "poor";
    if (this.trips.length === 0) return "unknown";
    return roundTrip > 150 || jitter > 30 || recent > 0 ? "fair" : "good";
  }
}
