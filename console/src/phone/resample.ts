// Streaming sample-rate conversion by a polyphase windowed sinc. Pure; state lives in the object.

const ZERO_CROSSINGS = 16;

/** Converts one stream from `from` to `to` Hz; blocks may have any length, joins do not click. */
export class Resampler {
  private readonly up: number;
  private readonly down: number;
  private readonly taps: number;
  private readonly phases: Float32Array[];
  private history: Float32Array;
  private position = 0;

  constructor(from: number, to: number) {
    const divisor = gcd(from, to);
    this.up = to / divisor;
    this.down = from / divisor;
    const cutoff = Math.min(1, to / from);
    this.taps = 2 * Math.ceil(ZERO_CROSSINGS / cutoff);
    this.phases = Array.from({ length: this.up }, (_, phase) =>
      kernel(phase / this.up, this.taps, cutoff * 0.94),
    );
    this.history = new Float32Array(this.taps - 1);
  }

  push(input: Float32Array): Float32Array {
    if (this.up === this.down) return input;
    const joined = new Float32Array(this.history.length + input.length);
    joined.set(this.history);
    joined.set(input, this.history.length);
    const available = joined.length - this.taps + 1;
    const output = new Float32Array(Math.max(0, Math.ceil((available * this.up - this.position) / this.down)));
    let at = this.position;
    for (let i = 0; i < output.length; i++, at += this.down) {
      const phase = this.phases[at % this.up] as Float32Array;
      const start = Math.floor(at / this.up);
      let sum = 0;
      for (let k = 0; k < this.taps; k++) sum += (phase[k] as number) * (joined[start + k] as number);
      output[i] = sum;
    }
    this.position = at - available * this.up;
    this.history = joined.slice(available);
    return output;
  }
}

function kernel(fraction: number, taps: number, cutoff: number): Float32Array {
  const half = taps / 2;
  const values = Float32Array.from({ length: taps }, (_, k) => {
    const x = k - (half - 1) - fraction;
    return sinc(cutoff * x) * blackman(x / half);
  });
  const sum = values.reduce((a, b) => a + b, 0);
  return values.map((value) => value / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function blackman(x: number): number {
  if (Math.abs(x) >= 1) return 0;
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
