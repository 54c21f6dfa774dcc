// How the caller felt through a kept call, turn by turn. Draws only.

import type { TimelineEvent } from "../api";
import { moodSentence } from "../floor/mood";
import { Line } from "./floor/mood";

const WIDTH = 520;
const HEIGHT = 70;

export function Moods({ events }: { events: readonly TimelineEvent[] }) {
  const found = events.filter(({ kind }) => kind === "sentiment");
  const last = found.at(-1);
  if (last === undefined) return null;
  const scores = found.map((event) => Number(event.score));
  const alerts = events.filter(({ kind }) => kind === "alert").length;
  const words = moodSentence({
    score: Number(last.score),
    trend: Number(last.trend),
    emotion: String(last.emotion),
    scores,
  });
  return (
    <section class="card" aria-labelledby="moods-title">
      <h2 id="moods-title">Caller's sentiment</h2>
      <div class="mood wide">
        <Line scores={scores} width={WIDTH} height={HEIGHT} />
      </div>
      <p>
        In the end: {words}. {found.length === 1 ? "One turn" : `${found.length} turns`} read
        {alerts > 0 && `, ${alerts === 1 ? "one alert" : `${alerts} alerts`}`}.
      </p>
    </section>
  );
}
