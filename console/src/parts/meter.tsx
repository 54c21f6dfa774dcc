// A level meter: one bar from -60 to 0 dBFS with a slow peak mark, drawn every frame.

import { useEffect, useRef } from "preact/hooks";
import { colour, onLook, sharp } from "./canvas";

const FLOOR_DB = -60;
const FALL_PER_SECOND = 1.2;
const PEAK_FALL_PER_SECOND = 0.35;

interface Props {
  label: string;
  /** Which custom property colours the bar. */
  tone: "--caller" | "--agent" | "--operator";
  /** The level now, in dBFS. */
  level: () => number;
}

export function Meter({ label, tone, level }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    let fill = "";
    let track = "";
    const look = () => {
      fill = colour(element, tone);
      track = colour(element, "--track");
    };
    const stopLooking = onLook(element, look);
    look();
    let bar = 0;
    let peak = 0;
    let last = performance.now();
    let frame = requestAnimationFrame(function draw(now) {
      const seconds = Math.min(0.1, (now - last) / 1000);
      last = now;
      const value = Math.max(0, Math.min(1, 1 - level() / FLOOR_DB));
      bar = Math.max(value, bar - FALL_PER_SECOND * seconds);
      peak = Math.max(bar, peak - PEAK_FALL_PER_SECOND * seconds);
      paint(element, bar, peak, fill, track);
      frame = requestAnimationFrame(draw);
    });
    return () => {
      cancelAnimationFrame(frame);
      stopLooking();
    };
  }, [tone, level]);
  return (
    <div class="meter">
      <span class="meter-label">{label}</span>
      <canvas ref={canvas} role="img" aria-label={`Sound level: ${label}`} />
    </div>
  );
}

function paint(canvas: HTMLCanvasElement, bar: number, peak: number, fill: string, track: string): void {
  const context = sharp(canvas);
  if (context === null) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  context.fillStyle = track;
  context.beginPath();
  context.roundRect(0, 0, width, height, height / 2);
  context.fill();
  context.fillStyle = fill;
  if (bar > 0.01) {
    context.beginPath();
    context.roundRect(0, 0, Math.max(height, width * bar), height, height / 2);
    context.fill();
  }
  if (peak > 0.02) context.fillRect(Math.min(width - 2, width * peak), 0, 2, height);
}
