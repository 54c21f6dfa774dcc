// The operator's headset: microphone pieces for the socket, the server's sound for the ear. Knows no call.

import type { CapturedFrame } from "../phone/framer";
import { NoMicrophone, Sound, audioObstacle, openMicrophone } from "../phone/sound";
import { HEADER_BYTES, RATE } from "../phone/wire";

export interface HeadsetEvents {
  /** 20 ms of PCM16 at 16 kHz; never called while closed to the air. */
  send(pcm: Uint8Array<ArrayBuffer>): void;
  microphoneLost(): void;
}

export interface Opened {
  headset: Headset | null;
  /** Why there is no sound or no microphone, as one sentence. */
  problem: string;
}

export class Headset {
  framesSent = 0;
  underruns = 0;
  playedMs = 0;
  bufferedMs = 0;
  /** Loudness in dBFS of the own microphone, and of what the ear gets. */
  ownLevel = -90;
  earLevel = -90;
  private sound!: Sound;
  private onAir = false;
  private epoch = 0;

  private constructor(
    readonly microphone: boolean,
    private readonly events: HeadsetEvents,
  ) {}

  /** Ask for the microphone and start the sound; needs a user's gesture. */
  static async open(processing: boolean, events: HeadsetEvents): Promise<Opened> {
    const obstacle = audioObstacle();
    if (obstacle !== null) return { headset: null, problem: plain(obstacle) };
    let problem = "";
    const options = { processing, nativeRate: false };
    const stream = await openMicrophone(options).catch((error: unknown) => {
      problem = plain(error instanceof NoMicrophone ? error.message : "The microphone could not be opened.");
      return null;
    });
    const headset = new Headset(stream !== null, events);
    try {
      headset.sound = await Sound.open(stream, options, {
        captured: (frame) => headset.captured(frame),
        reported: (report) => {
          if (report.type !== "progress") return;
          headset.playedMs = report.playedMs;
          headset.bufferedMs = report.bufferedMs;
          headset.underruns = report.underruns;
          headset.earLevel = report.level;
        },
        microphoneLost: () => events.microphoneLost(),
      });
    } catch {
      for (const track of stream?.getTracks() ?? []) track.stop();
      return { headset: null, problem: "This browser could not start its audio: you can read and write, not hear." };
    }
    headset.air(false);
    return { headset, problem };
  }

  /** Whether the microphone goes to the server at all; closed is the beginning. */
  air(open: boolean): void {
    this.onAir = open;
    this.sound.mute(!open);
  }

  hear(pcm: ArrayBuffer): void {
    const view = new DataView(pcm);
    const samples = new Float32Array(pcm.byteLength >> 1);
    for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(i * 2, true) / 32768;
    this.sound.command({ type: "audio", epoch: this.epoch, rate: RATE, samples });
  }

  /** Forget what was not heard yet: the server cut it off. */
  clear(): void {
    this.epoch = (this.epoch + 1) & 0xffff;
    this.sound.command({ type: "clear", epoch: this.epoch });
  }

  get rms(): number {
    return this.sound.rms;
  }

  /** Loudness of one frequency in the ear, in dBFS: for tests. */
  tone(hertz: number): number {
    return this.sound.tone(hertz);
  }

  close(): void {
    this.onAir = false;
    this.sound.close();
  }

  private captured({ frame, level }: CapturedFrame): void {
    this.ownLevel = this.onAir ? level : -90;
    if (!this.onAir || frame === null) return;
    this.framesSent += 1;
    this.events.send(new Uint8Array(frame, HEADER_BYTES));
  }
}

/** The caller's page speaks of a call that goes on as text; a desk listens and writes. */
function plain(sentence: string): string {
  return sentence.replace(", so this call goes on as text", "");
}
