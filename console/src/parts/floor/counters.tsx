// The floor's counters, and how fresh the whole page is.

import { useEffect, useState } from "preact/hooks";
import type { Counters as Counts } from "../../desk/wire";
import type { FloorFeed } from "../../floor/feed";

const NAMES: [keyof Counts, string][] = [
  ["live", "Live calls"],
  ["waiting", "Waiting"],
  ["agents_answering", "AI answers"],
  ["taken_over", "Taken over"],
  ["on_hold", "On hold"],
  ["operators", "Operators"],
];

export function Counters({ counts }: { counts: Counts }) {
  return (
    <dl class="counters">
      {NAMES.map(([key, name]) => (
        <div key={key}>
          <dt>{name}</dt>
          <dd class="figure">{counts[key] ?? "–"}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The page's clock, told once a second. */
export function useNow(): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(performance.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}

export function Freshness({ feed, now }: { feed: FloorFeed; now: number }) {
  const { freshness, problem, heardAt } = feed;
  const age = heardAt.value === 0 ? 0 : Math.max(0, Math.floor((now - heardAt.value) / 1000));
  const sign = {
    connecting: { look: "wait", words: "Connecting …" },
    live: { look: "live", words: "Live" },
    polling: { look: "polling", words: "Live connection lost; asking every two seconds" },
    stale: { look: "stale", words: "Stale: what you see may be wrong." },
  }[freshness.value];
  return (
    <p class={`freshness ${sign.look}`} role="status">
      <i aria-hidden="true" />
      {sign.words}
      {freshness.value === "stale" && <span role="timer">Last news {age} s ago.</span>}
      {problem.value !== "" && freshness.value !== "live" && <span> {problem.value}</span>}
    </p>
  );
}
