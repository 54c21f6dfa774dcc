// Opus by WebCodecs: one packet per 20 ms frame up, packets and marks kept in order down. No sockets.

import { FRAME_SAMPLES, HEADER_BYTES, RATE, writeHeader, OPUS } from "./wire";

const ENCODER: AudioEncoderConfig = {
  codec: "opus",
  sampleRate: RATE,
  numberOfChannels: 1,
  bitrate: 28_000,
  opus: { frameDuration: 20_000, application: "voip", complexity: 5, signal: "voice" },
} as AudioEncoderConfig;

const DECODER: AudioDecoderConfig = { codec: "opus", sampleRate: RATE, numberOfChannels: 1 };

/** Whether this browser both encodes and decodes Opus as the call socket wants it. */
export async function hasOpus(): Promise<boolean> {
  if (typeof AudioEncoder === "undefined" || typeof AudioDecoder === "undefined") return false;
  try {
    const [up, down] = await Promise.all([
      AudioEncoder.isConfigSupported(ENCODER),
      AudioDecoder.isConfigSupported(DECODER),
    ]);
    return up.supported === true && down.supported === true;
  } catch {
    return false;
  }
}

/** Turns captured frames (8 empty bytes, then 640 bytes of PCM16) into whole binary messages. */
export class OpusSender {
  private readonly times: number[] = [];
  private readonly encoder: AudioEncoder;

  constructor(send: (message: ArrayBuffer) => void, failed: () => void) {
    this.encoder = new AudioEncoder({
      output: (chunk) => {
        const message = new ArrayBuffer(HEADER_BYTES + chunk.byteLength);
        writeHeader(message, OPUS, this.times.shift() ?? 0);
        chunk.copyTo(new Uint8Array(message, HEADER_BYTES));
        send(message);
      },
      error: failed,
    });
    this.encoder.configure(ENCODER);
  }

  push(frame: ArrayBuffer, atMs: number): void {
    if (this.encoder.state !== "configured") return;
    this.times.push(atMs);
    const data = new AudioData({
      format: "s16",
      sampleRate: RATE,
      numberOfFrames: FRAME_SAMPLES,
      numberOfChannels: 1,
      timestamp: atMs * 1000,
      data: new Uint8Array(frame, HEADER_BYTES),
    });
    this.encoder.encode(data);
    data.close();
  }

  close(): void {
    if (this.encoder.state !== "closed") this.encoder.close();
  }
}

export interface DecodedSink {
  audio(epoch: number, rate: number, samples: Float32Array): void;
  mark(name: string): void;
}

/** Decodes packets; a mark comes out after the audio that went in before it. */
export class OpusReceiver {
  private readonly waiting: ({ epoch: number } | { mark: string })[] = [];
  private readonly decoder: AudioDecoder;
  private timestamp = 0;

  constructor(
    private readonly sink: DecodedSink,
    failed: () => void,
  ) {
    this.decoder = new AudioDecoder({ output: (data) => this.decoded(data), error: failed });
    this.decoder.configure(DECODER);
  }

  push(epoch: number, packet: Uint8Array): void {
    if (this.decoder.state !== "configured") return;
    this.waiting.push({ epoch });
    this.decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: this.timestamp, data: packet }));
    this.timestamp += 20_000;
  }

  mark(name: string): void {
    this.waiting.push({ mark: name });
    this.release();
  }

  close(): void {
    if (this.decoder.state !== "closed") this.decoder.close();
  }

  private decoded(data: AudioData): void {
    const samples = new Float32Array(data.numberOfFrames);
    data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    const first = this.waiting.shift();
    if (first !== undefined && "epoch" in first) this.sink.audio(first.epoch, data.sampleRate, samples);
    data.close();
    this.release();
  }

  private release(): void {
    for (let first = this.waiting[0]; first !== undefined && "mark" in first; first = this.waiting[0]) {
      this.waiting.shift();
      this.sink.mark(first.mark);
    }
  }
}
