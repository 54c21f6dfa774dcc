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

/** Seconds since the last news, counted while somebody looks. */
export function useAge(feed: FloorFeed): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(performance.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return feed.heardAt.value === 0 ? 0 : Math.max(0, Math.floor((now - feed.heardAt.value) / 1000));
}

export function Freshness({ feed, age }: { feed: FloorFeed; age: number }) {
  const { freshness, problem } = feed;
  const sign = {
    connecting: { look: "wait", words: "Connecting …" },
    live: { look: "live", words: "Live" },
    polling: { look: "polling", words: "Live connection lost; asking every two seconds" },
    stale: { look: "stale", words: `Stale: last news ${age} s ago. What you see may be wrong.` },
  }[freshness.value];
  return (
    <p class={`freshness ${sign.look}`} role="status">
      <i aria-hidden="true" />
      {sign.words}
      {problem.value !== "" && freshness.value !== "live" && <span> {problem.value}</span>}
    </p>
  );
}
