// The browser's audio graph: microphone → frames, queued audio → loudspeaker, analyser. No sockets.

import captureUrl from "./capture.worklet.ts?worker&url";
import type { CapturedFrame } from "./framer";
import playbackUrl from "./playback.worklet.ts?worker&url";
import type { PlaybackCommand, PlaybackReport } from "./playback.worklet";
import { RATE } from "./wire";

export interface SoundOptions {
  /** Echo cancellation, noise suppression and gain control of the browser; off only in tests. */
  processing: boolean;
  /** Use the sound card's own rate at once instead of asking for 16 kHz. */
  nativeRate: boolean;
}

export interface SoundEvents {
  captured(frame: CapturedFrame): void;
  reported(report: PlaybackReport): void;
  microphoneLost(): void;
}

/** Why there is no microphone, as one sentence for the caller's screen. */
export class NoMicrophone extends Error {}

/** Why audio cannot work at all on this page, or null when it can be tried. */
export function audioObstacle(): string | null {
  if (!window.isSecureContext) {
    return "Browsers allow the microphone only on https:// or localhost, so this call goes on as text.";
  }
  if (typeof AudioWorkletNode === "undefined") {
    return "This browser cannot process live audio, so this call goes on as text.";
  }
  return null;
}

/** Ask for the microphone; throws NoMicrophone with a sentence that the caller can act on. */
export async function openMicrophone(options: SoundOptions): Promise<MediaStream> {
  const processing = options.processing;
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        echoCancellation: processing,
        noiseSuppression: processing,
        autoGainControl: processing,
        channelCount: 1,
      },
    });
  } catch (error) {
    throw new NoMicrophone(microphoneSentence(error));
  }
}

function microphoneSentence(error: unknown): string {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "The microphone was not allowed, so this call goes on as text; allow it in the address bar to speak.";
    case "NotFoundError":
      return "No microphone was found, so this call goes on as text.";
    case "NotReadableError":
      return "The microphone is in use by another program, so this call goes on as text.";
    default:
      return "The microphone could not be opened, so this call goes on as text.";
  }
}

export class Sound {
  private readonly heard = new Float32Array(2048);
  private readonly analyser: AnalyserNode;
  private readonly playback: AudioWorkletNode;
  private capture: AudioWorkletNode | null = null;

  private constructor(
    private readonly context: AudioContext,
    private readonly stream: MediaStream | null,
    events: SoundEvents,
  ) {
    this.playback = new AudioWorkletNode(context, "offhook-playback", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this.playback.port.onmessage = ({ data }: MessageEvent<PlaybackReport>) => events.reported(data);
    this.analyser = new AnalyserNode(context, { fftSize: this.heard.length });
    this.playback.connect(this.analyser).connect(context.destination);
  }

  /** Build the graph; `stream` null makes a call that can be heard but has no microphone. */
  static async open(stream: MediaStream | null, options: SoundOptions, events: SoundEvents): Promise<Sound> {
    const { context, source } = openContext(stream, options.nativeRate);
    try {
      await Promise.all([context.audioWorklet.addModule(captureUrl), context.audioWorklet.addModule(playbackUrl)]);
    } catch (error) {
      void context.close();
      throw error;
    }
    const sound = new Sound(context, stream, events);
    if (source !== null) sound.listen(source, events);
    await context.resume();
    return sound;
  }

  get rate(): number {
    return this.context.sampleRate;
  }

  /** Time from the worklet to the ear, in ms, as far as the browser knows it. */
  get outputDelayMs(): number {
    return Math.min(500, (this.context.outputLatency || this.context.baseLatency || 0) * 1000);
  }

  /** Root mean square (0…1) of what is being played now. */
  get rms(): number {
    this.analyser.getFloatTimeDomainData(this.heard);
    let sum = 0;
    for (const sample of this.heard) sum += sample * sample;
    return Math.sqrt(sum / this.heard.length);
  }

  /** Loudness in dBFS of the frequency nearest to `hertz` in what is being played now. */
  tone(hertz: number): number {
    const bins = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(bins);
    return bins[Math.round((hertz * this.analyser.fftSize) / this.context.sampleRate)] ?? -Infinity;
  }

  mute(muted: boolean): void {
    this.capture?.port.postMessage({ muted });
  }

  command(command: PlaybackCommand): void {
    const transfer = command.type === "audio" ? [command.samples.buffer as ArrayBuffer] : [];
    this.playback.port.postMessage(command, transfer);
  }

  /** Undo a suspension by the system (a phone call on a mobile, for example). */
  wake(): void {
    if (this.context.state !== "running") void this.context.resume();
  }

  close(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.release();
  }

  /** Leave the microphone to another. */
  release(): void {
    if (this.context.state !== "closed") void this.context.close();
  }

  private listen(source: MediaStreamAudioSourceNode, events: SoundEvents): void {
    this.capture = new AudioWorkletNode(this.context, "offhook-capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this.capture.port.onmessage = ({ data }: MessageEvent<CapturedFrame>) => events.captured(data);
    source.connect(this.capture);
    const track = this.stream?.getAudioTracks()[0];
    track?.addEventListener("ended", () => events.microphoneLost(), { once: true });
  }
}

/** A context at 16 kHz where the browser can, else at its own rate (the worklets then resample). */
function openContext(
  stream: MediaStream | null,
  nativeRate: boolean,
): { context: AudioContext; source: MediaStreamAudioSourceNode | null } {
  if (!nativeRate) {
    let context: AudioContext | null = null;
    try {
      context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
      return { context, source: stream && context.createMediaStreamSource(stream) };
    } catch {
      void context?.close();
    }
  }
  const context = new AudioContext({ latencyHint: "interactive" });
  return { context, source: stream && context.createMediaStreamSource(stream) };
}
