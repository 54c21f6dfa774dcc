// The player of a recording: play, position, speed, and the waveform above it. The browser only streams.

import type { Signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Peaks, callUrl } from "../api";
import { clock } from "../words";
import { Waveform } from "./waveform";

const SPEEDS = [1, 1.25, 1.5, 2];

interface Props {
  id: string;
  peaks: Peaks | null;
  durationMs: number;
  /** Where the recording is now; written here, read by the transcript. */
  position: Signal<number>;
  /** A wish to play from a moment; taken and set back to null here. */
  wish: Signal<number | null>;
}

export function Player({ id, peaks, durationMs, position, wish }: Props) {
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [failed, setFailed] = useState(false);
  const seek = (ms: number) => {
    position.value = ms;
    if (audio.current !== null) audio.current.currentTime = ms / 1000;
  };
  // A pause before the sound has come breaks off the wish to play: that is no failure.
  const play = () => void audio.current?.play().catch((error: Error) => error.name !== "AbortError" && setFailed(true));
  const wanted = wish.value;
  useEffect(() => {
    if (wanted === null) return;
    wish.value = null;
    seek(wanted);
    play();
  }, [wanted]);
  useEffect(() => {
    if (!playing) return;
    let frame = requestAnimationFrame(function follow() {
      if (audio.current !== null) position.value = audio.current.currentTime * 1000;
      frame = requestAnimationFrame(follow);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing]);

  return (
    <section class="card player" aria-label="Recording">
      {peaks !== null && <Waveform peaks={peaks} positionMs={position.value} seek={seek} />}
      <div class="player-bar">
        <button
          type="button"
          class="primary"
          aria-label={playing ? "Pause" : "Play"}
          onClick={() => (playing ? audio.current?.pause() : play())}
        >
          {playing ? "Pause" : "Play"}
        </button>
        <span class="figure">
          {clock(position.value)} / {clock(durationMs)}
        </span>
        <label class="speed">
          Speed
          <select
            onChange={(event) => {
              if (audio.current !== null) audio.current.playbackRate = Number(event.currentTarget.value);
            }}
          >
            {SPEEDS.map((speed) => (
              <option key={speed} value={speed}>
                {speed}×
              </option>
            ))}
          </select>
        </label>
        {failed && <span role="alert">This recording could not be played here; download it instead.</span>}
      </div>
      <audio
        ref={audio}
        preload="metadata"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setPlaying(false)}
      >
        <source src={callUrl(id, "/recording?format=ogg")} type='audio/ogg; codecs="opus"' />
        <source src={callUrl(id, "/recording?format=wav")} type="audio/wav" onError={() => setFailed(true)} />
      </audio>
    </section>
  );
}
