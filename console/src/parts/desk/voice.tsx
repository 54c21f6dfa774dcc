// How the coach sounds in my ear: voice, speed, loudness, by itself or on demand, or not at all.

import { useEffect, useState } from "preact/hooks";
import { apiSend } from "../../api";
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
  const chosen = `${coach.provider ?? ""}/${coach.voice ?? ""}`;
  const known = voices.some((one) => `${one.provider}/${one.id}` === chosen);
  const choose = (key: string) => {
    const one = voices.find((voice) => `${voice.provider}/${voice.id}` === key);
    if (one === undefined) return;
    const wish = { provider: one.provider, voice: one.id };
    apiSend("PUT", "/api/desk/settings", { coach: wish })
      .then(() => desk.set({ coach: { ...desk.state.value.coach, ...wish } }))
      .catch((error: Error) => desk.note(error.message));
  };
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
        <select value={chosen} disabled={off} onChange={(event) => choose(event.currentTarget.value)}>
          {!known && <option value={chosen}>{coach.voice || "As the settings say"}</option>}
          {voices.map((one) => (
            <option key={`${one.provider}/${one.id}`} value={`${one.provider}/${one.id}`}>
              {one.name} ({one.provider})
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
