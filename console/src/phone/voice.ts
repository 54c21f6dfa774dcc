// The voice of one call: microphone frames to messages, messages to the loudspeaker, in the call's codec.

import type { CapturedFrame } from "./framer";
import { OpusReceiver, OpusSender } from "./opus";
import type { CallVoice } from "./link";
import type { PlaybackReport } from "./playback.worklet";
import { Sound, type SoundOptions } from "./sound";
import { type AudioFrame, type Codec, OPUS, PCM16, RATE, isOlder, writeHeader } from "./wire";

export interface VoiceEvents {
  /** A whole binary message for the socket; false when it was not sent. */
  send(message: ArrayBuffer): boolean;
  /** A mark was played, or went with a clear. */
  echo(name: string): void;
  microphoneLost(): void;
  codecFailed(): void;
}

export class Voice implements CallVoice {
  codec: Codec = "pcm16";
  framesSent = 0;
  underruns = 0;
  playedMs = 0;
  bufferedMs = 0;
  targetMs = 0;
  callerLevel = -90;
  agentLevel = -90;
  private sound!: Sound;
  private sender: OpusSender | null = null;
  private receiver: OpusReceiver | null = null;
  private echoes: { name: string; timer: number }[] = [];
  private epoch = 0;
  private live = false;
  /** Capture time at which the call began; the wire counts from there. */
  private beginning: number | null = null;

  private constructor(private readonly events: VoiceEvents) {}

  static async open(stream: MediaStream | null, options: SoundOptions, events: VoiceEvents): Promise<Voice> {
    const voice = new Voice(events);
    voice.sound = await Sound.open(stream, options, {
      captured: (frame) => voice.captured(frame),
      reported: (report) => voice.reported(report),
      microphoneLost: () => events.microphoneLost(),
    });
    return voice;
  }

  get rms(): number {
    return this.sound.rms;
  }

  get rate(): number {
    return this.sound.rate;
  }

  /** The call is up (again): send in `codec` from now on, hear from `epoch` on. */
  begin(codec: Codec, epoch: number): void {
    if (codec === "opus" && this.sender === null) {
      this.sender = new OpusSender((message) => this.send(message), this.events.codecFailed);
    }
    this.codec = codec;
    this.live = true;
    if (epoch !== this.epoch) this.clear(epoch);
  }

  pause(): void {
    this.live = false;
  }

  mute(muted: boolean): void {
    this.sound.mute(muted);
  }

  heard(frame: AudioFrame): void {
    if (isOlder(frame.epoch, this.epoch)) return;
    if (frame.codec === OPUS) {
      this.receiver ??= new OpusReceiver(
        {
          audio: (epoch, rate, samples) => this.sound.command({ type: "audio", epoch, rate, samples }),
          mark: (name) => this.sound.command({ type: "mark", name }),
        },
        this.events.codecFailed,
      );
      this.receiver.push(frame.epoch, frame.payload);
    } else if (frame.codec === PCM16) {
      this.sound.command({ type: "audio", epoch: frame.epoch, rate: RATE, samples: floats(frame.payload) });
    }
  }

  mark(name: string): void {
    if (this.receiver !== null) this.receiver.mark(name);
    else this.sound.command({ type: "mark", name });
  }

  clear(epoch: number): void {
    this.epoch = epoch;
    this.sound.command({ type: "clear", epoch });
  }

  wake(): void {
    this.sound.wake();
  }

  close(): void {
    this.leave();
    this.sound.close();
  }

  /** Leave the microphone to another. */
  leave(): void {
    this.live = false;
    for (const { timer } of this.echoes) window.clearTimeout(timer);
    this.sender?.close();
    this.receiver?.close();
    this.sound.release();
  }

  private captured({ frame, atMs, level }: CapturedFrame): void {
    this.callerLevel = level;
    if (!this.live) return;
    this.beginning ??= atMs;
    if (frame === null) return;
    if (this.codec === "opus") {
      this.sender?.push(frame, atMs - this.beginning);
    } else {
      writeHeader(frame, PCM16, atMs - this.beginning);
      this.send(frame);
    }
  }

  private send(message: ArrayBuffer): void {
    if (this.live && this.events.send(message)) this.framesSent += 1;
  }

  private reported(report: PlaybackReport): void {
    if (report.type === "echo") return this.echo(report.name, report.played);
    this.playedMs = report.playedMs;
    this.bufferedMs = report.bufferedMs;
    this.targetMs = report.targetMs;
    this.underruns = report.underruns;
    this.agentLevel = report.level;
  }

  /** A played mark is echoed when its sound has left the loudspeaker; a cleared one at once, in order. */
  private echo(name: string, played: boolean): void {
    const timer = window.setTimeout(() => this.release(1), played ? this.sound.outputDelayMs : 0);
    this.echoes.push({ name, timer });
    if (!played) this.release(this.echoes.length);
  }

  private release(count: number): void {
    for (const { name, timer } of this.echoes.splice(0, count)) {
      window.clearTimeout(timer);
      this.events.echo(name);
    }
  }
}

function floats(payload: Uint8Array): Float32Array {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const samples = new Float32Array(payload.byteLength >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(i * 2, true) / 32768;
  return samples;
}
