// Prepared clips, to play to the caller in place of the AI's voice. Nothing where none is kept.

import { useEffect, useState } from "preact/hooks";
import type { DeskCall } from "../../desk/desk-call";
import { type ClipInfo, fetchClips } from "../../voices";

export function Clips({ desk }: { desk: DeskCall }) {
  const [clips, setClips] = useState<ClipInfo[]>([]);
  useEffect(() => {
    fetchClips()
      .then(setClips)
      .catch(() => setClips([]));
  }, []);
  if (clips.length === 0) return null;
  return (
    <section class="card clips" aria-labelledby="clips-title">
      <h2 id="clips-title">Play to the caller</h2>
      <ul>
        {clips.map((clip) => (
          <li key={clip.name}>
            <span>
              <b>{clip.name}</b> <bdi class="quiet">{clip.text}</bdi>
            </span>
            <span class="figure quiet">{clip.seconds.toFixed(1)} s</span>
            <button
              type="button"
              class="small"
              disabled={desk.state.value.link !== "up"}
              aria-label={`Play ${clip.name} to the caller`}
              onClick={() => desk.send({ type: "inject", clip: clip.name })}
            >
              ▶ Play
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
