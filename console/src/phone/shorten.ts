// Leaves out one period of a voice, or a little silence, without a click. Pure.

const SHORTEST_S = 0.0025;
const LONGEST_S = 0.015;
const QUIET = 0.003;
const ALIKE = 0.8;
/** The likeness of two pieces is told by samples at this rate. */
const COARSE_HZ = 4_000;

/** How much sound `shorter` looks at, in samples. */
export function span(rate: number): number {
  return 2 * Math.floor(LONGEST_S * rate);
}

/** `samples` without a period of at most `most` samples; null where none can be left out unheard. */
export function shorter(samples: Float32Array, rate: number, most: number): Float32Array | null {
  const shortest = Math.ceil(SHORTEST_S * rate);
  const longest = Math.min(most, samples.length >> 1, Math.floor(LONGEST_S * rate));
  if (longest < shortest) return null;
  const lag = isQuiet(samples) ? longest : period(samples, shortest, longest, Math.max(1, Math.round(rate / COARSE_HZ)));
  return lag === 0 ? null : joined(samples, lag);
}

function isQuiet(samples: Float32Array): boolean {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum < QUIET * QUIET * samples.length;
}

/** The lag at which the sound is most like itself; 0 where it is not. */
function period(samples: Float32Array, shortest: number, longest: number, step: number): number {
  let best = ALIKE;
  let found = 0;
  for (let lag = shortest; lag <= longest; lag += step) {
    const alike = likeness(samples, lag, step);
    if (alike > best) [best, found] = [alike, lag];
  }
  if (found === 0) return 0;
  const around = Math.min(longest, found + step - 1);
  for (let lag = Math.max(shortest, found - step + 1); lag <= around; lag++) {
    const alike = likeness(samples, lag, 1);
    if (alike > best) [best, found] = [alike, lag];
  }
  return found;
}

/** Between -1 and 1. */
function likeness(samples: Float32Array, lag: number, step: number): number {
  let [both, one, other] = [0, 0, 0];
  for (let i = 0; i < lag; i += step) {
    const a = samples[i] as number;
    const b = samples[i + lag] as number;
    both += a * b;
    one += a * a;
    other += b * b;
  }
  return both / Math.sqrt(one * other + 1e-12);
}

/** What is `lag` later, faded into. */
function joined(samples: Float32Array, lag: number): Float32Array {
  const out = samples.slice(lag);
  for (let i = 0; i < lag; i++) {
    const share = (i + 1) / (lag + 1);
    out[i] = (samples[i] as number) * (1 - share) + (out[i] as number) * share;
  }
  return out;
}
