// How the coach sounds in my ear: voice, speed, loudness, by itself or on demand, or not at all.

import { useEffect, useState } from "preact/hooks";
import type { DeskCall } from "../../desk/desk-call";
import { type VoiceInfo, fetchVoices } from "../../voices";

const SPEEDS = [0.75, 0.9, 1, 1.15, 1.3, 1.5, 1.75, 2];

export function CoachVoice({ desk }: { desk: DeskCall }) {
  const { coach, link } = desk.state.value;
  const [voices, setVoices] = useState<VoiceInfo[]>([]);
  useEffect(() => {
    void fetchVoices()
      .then(({ voices }) => setVoices(voices))
      .catch(() => setVoices([]));
  }, []);
  const off = link !== "up";
  const speeds = coach.speed === undefined || SPEEDS.includes(coach.speed) ? SPEEDS : [...SPEEDS, coach.speed].sort();
  const voice = coach.voice ?? "";
  const known = voices.some((one) => one.id === voice);
  return (
    <section class="card coach-voice" aria-labelledby="coach-voice-title">
      <h2 id="coach-voice-title">Coach's voice in my ear</h2>
      <label>
        <input
          type="checkbox"
          checked={coach.mute !== true}
          disabled={off}
          onChange={(event) => desk.coach({ mute: !event.currentTarget.checked })}
        />
        Speaks to me
      </label>
      <label>
        <input
          type="checkbox"
          checked={coach.auto_play !== false}
          disabled={off || coach.mute === true}
          onChange={(event) => desk.coach({ auto_play: event.currentTarget.checked })}
        />
        By itself, as advice comes
      </label>
      <label class="stacked">
        Voice
        <select value={voice} disabled={off} onChange={(event) => desk.coach({ voice: event.currentTarget.value })}>
          {!known && <option value={voice}>{voice || "As the settings say"}</option>}
          {voices.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      </label>
      <label class="stacked">
        Speed
        <select
          value={String(coach.speed ?? 1)}
          disabled={off}
          onChange={(event) => desk.coach({ speed: Number(event.currentTarget.value) })}
        >
          {speeds.map((speed) => (
            <option key={speed} value={String(speed)}>
              {speed}×
            </option>
          ))}
        </select>
      </label>
      <label class="stacked">
        Loudness
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={coach.volume ?? 1}
          disabled={off}
          onChange={(event) => desk.coach({ volume: Number(event.currentTarget.value) })}
        />
      </label>
      <p class="quiet">Only you hear the coach. While it speaks, the others sound softer in your ear.</p>
    </section>
  );
}
