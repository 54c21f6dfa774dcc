// The live floor: every call that is on now, the most needy first, each one key away. Kept calls have their own page.

import { useEffect, useRef, useState } from "preact/hooks";
import { seated } from "../desk/seated";
import { ordered } from "../floor/attention";
import { FloorFeed } from "../floor/feed";
import { Actions } from "../parts/floor/actions";
import { Alerts } from "../parts/floor/alerts";
import { FloorCard } from "../parts/floor/card";
import { Counters, Freshness, useAge } from "../parts/floor/counters";
import { Dock } from "../parts/floor/dock";
import { Providers } from "../parts/providers";
import { go } from "../route";

export function LiveFloor() {
  const [feed] = useState(() => new FloorFeed());
  const [focused, setFocused] = useState("");
  const [problem, setProblem] = useState("");
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => () => feed.close(), [feed]);
  const age = useAge(feed);
  const calls = ordered(feed.calls.value.values());
  const chosen = calls.find((call) => call.call_id === focused) ?? calls[0] ?? null;

  const move = (by: number) => {
    if (chosen === null) return;
    const next = calls[(calls.indexOf(chosen) + by + calls.length) % calls.length];
    if (next === undefined) return;
    setFocused(next.call_id);
    list.current?.querySelector<HTMLElement>(`#call-${next.call_id}`)?.focus();
  };
  const docked = calls.find((call) => call.call_id === seated.value?.state.value.callId);
  return (
    <>
      <div class="page-head">
        <h1>Live floor</h1>
        <Freshness feed={feed} age={age} />
        <a class="button" href="/calls">
          All calls
        </a>
      </div>
      <Counters counts={feed.counters.value} />
      <Providers />
      <Alerts calls={calls} ready={feed.heardAt.value > 0} focus={setFocused} />
      <Dock name={docked?.caller || "your call"} />
      <Actions call={chosen} move={move} say={setProblem} />
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}{" "}
          <button type="button" class="plain" onClick={() => setProblem("")}>
            Dismiss
          </button>
        </p>
      )}
      <div class={`floor-cards${feed.freshness.value === "stale" ? " stale" : ""}`} ref={list} role="list">
        {calls.map((call) => (
          <div role="listitem" key={call.call_id}>
            <FloorCard
              call={call}
              age={age}
              focused={call === chosen}
              focus={() => setFocused(call.call_id)}
              open={() => go(`/desk/${call.call_id}`)}
            />
          </div>
        ))}
      </div>
      {calls.length === 0 && feed.freshness.value !== "connecting" && (
        <div class="empty">
          <h2>No call is live</h2>
          <p>Calls appear here while they last; the ones that need somebody come first.</p>
          <p>
            <a class="button primary" href="/call">
              Call the agent
            </a>
          </p>
        </div>
      )}
    </>
  );
}
