// A spoken line: its waveform, a player, what it took, and the file to keep.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Sound } from "../voices";
import { latency } from "../words";
import { colour, onLook, sharp } from "./canvas";

const BARS = 160;

export function Heard({ sound, name }: { sound: Sound; name: string }) {
  const [peaks, setPeaks] = useState<{ bars: number[]; seconds: number } | null>(null);
  useEffect(() => {
    let current = true;
    void decoded(sound.bytes).then((found) => current && setPeaks(found));
    return () => {
      current = false;
    };
  }, [sound]);
  const length = sound.seconds ?? peaks?.seconds;
  const suffix = sound.type.includes("ogg") ? "ogg" : "wav";
  return (
    <div class="heard">
      {peaks !== null && <Bars bars={peaks.bars} />}
      <audio controls autoplay src={sound.url} aria-label="What was spoken" />
      <dl class="heard-facts">
        <div>
          <dt>First sound</dt>
          <dd class="figure">{latency(sound.firstAudioMs)}</dd>
        </div>
        <div>
          <dt>All of it</dt>
          <dd class="figure">{latency(sound.totalMs ?? sound.hereMs)}</dd>
        </div>
        <div>
          <dt>Length</dt>
          <dd class="figure">{length === undefined ? "–" : `${length.toFixed(1)} s`}</dd>
        </div>
        <div>
          <dt>Rate</dt>
          <dd class="figure">{sound.rate === null ? "–" : `${sound.rate / 1000} kHz`}</dd>
        </div>
      </dl>
      <a class="button" href={sound.url} download={`${name}.${suffix}`}>
        Download
      </a>
    </div>
  );
}

function Bars({ bars }: { bars: readonly number[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const draw = () => {
      const context = sharp(element);
      if (context === null) return;
      const { clientWidth: width, clientHeight: height } = element;
      context.fillStyle = colour(element, "--agent");
      bars.forEach((peak, at) => {
        const bar = Math.max(1, peak ** 0.7 * (height - 4));
        context.fillRect((at / bars.length) * width, (height - bar) / 2, Math.max(1, width / bars.length - 1), bar);
      });
    };
    draw();
    return onLook(element, draw);
  }, [bars]);
  return <canvas ref={canvas} class="heard-wave" role="img" aria-label="Waveform of what was spoken" />;
}

async function decoded(bytes: ArrayBuffer): Promise<{ bars: number[]; seconds: number } | null> {
  const context = new OfflineAudioContext(1, 1, 48_000);
  const buffer = await context.decodeAudioData(bytes.slice(0)).catch(() => null);
  if (buffer === null) return null;
  const samples = buffer.getChannelData(0);
  const step = Math.max(1, Math.floor(samples.length / BARS));
  const bars = Array.from({ length: BARS }, (_, at) => {
    let top = 0;
    for (let i = at * step; i < Math.min(samples.length, (at + 1) * step); i++) top = Math.max(top, Math.abs(samples[i] ?? 0));
    return top;
  });
  return { bars, seconds: buffer.duration };
}
