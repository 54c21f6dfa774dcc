// The waveform of a recording, one lane a leg, drawn from peaks made by the server; click or arrow keys to seek.

import { useEffect, useRef } from "preact/hooks";
import type { Peaks } from "../api";
import { clock } from "../words";
import { colour, onLook, sharp } from "./canvas";

const BAR = 2;
const GAP = 1;
const STEP_MS = 5_000;

interface Props {
  peaks: Peaks;
  positionMs: number;
  seek: (ms: number) => void;
}

export function Waveform({ peaks, positionMs, seek }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const duration = Math.max(1, peaks.duration_ms);
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const draw = () => paint(element, peaks, positionMs / duration);
    draw();
    return onLook(element, draw);
  }, [peaks, positionMs, duration]);

  const point = (event: PointerEvent) => {
    if (event.type === "pointermove" && event.buttons !== 1) return;
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    seek(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * duration);
  };
  const key = (event: KeyboardEvent) => {
    const to = keySeek(event.key, positionMs, duration);
    if (to === null) return;
    event.preventDefault();
    seek(to);
  };
  return (
    <div class="waveform">
      <div class="lane-names" aria-hidden="true">
        <span class="caller">Caller</span>
        <span class="agent">Agent</span>
      </div>
      <canvas
        ref={canvas}
        role="slider"
        tabIndex={0}
        aria-label="Position in the recording"
        aria-valuemin={0}
        aria-valuemax={Math.round(duration / 1000)}
        aria-valuenow={Math.round(positionMs / 1000)}
        aria-valuetext={`${clock(positionMs)} of ${clock(duration)}`}
        onPointerDown={point}
        onPointerMove={point}
        onKeyDown={key}
      />
    </div>
  );
}

function keySeek(key: string, position: number, duration: number): number | null {
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, position - STEP_MS);
    case "ArrowRight":
      return Math.min(duration, position + STEP_MS);
    case "Home":
      return 0;
    case "End":
      return duration;
    default:
      return null;
  }
}

function paint(canvas: HTMLCanvasElement, peaks: Peaks, progress: number): void {
  const context = sharp(canvas);
  if (context === null) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const lane = height / 2;
  const covered = peaks.duration_ms / peaks.bucket_ms;
  for (const [index, leg] of [peaks.caller, peaks.agent].entries()) {
    const tone = index === 0 ? "--caller" : "--agent";
    const heard = colour(canvas, tone);
    const ahead = colour(canvas, `${tone}-soft`);
    for (let x = 0; x < width; x += BAR + GAP) {
      const from = Math.floor((x / width) * covered);
      const to = Math.max(from + 1, Math.floor(((x + BAR + GAP) / width) * covered));
      const peak = Math.max(0, ...leg.slice(from, to));
      const bar = Math.max(1, peak ** 0.7 * (lane - 6));
      context.fillStyle = x / width < progress ? heard : ahead;
      context.fillRect(x, lane * index + (lane - bar) / 2, BAR, bar);
    }
  }
  context.fillStyle = colour(canvas, "--ink");
  context.fillRect(Math.min(width - 1, progress * width), 0, 1, height);
}
