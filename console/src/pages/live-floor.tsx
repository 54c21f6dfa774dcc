// The live floor: every call that is on now, the most needy first, each one key away. Kept calls have their own page.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { seated } from "../desk/seated";
import { chosenOf, lasted, ordered } from "../floor/attention";
import { FloorFeed } from "../floor/feed";
import { Actions } from "../parts/floor/actions";
import { Alerts } from "../parts/floor/alerts";
import { FloorCard } from "../parts/floor/card";
import { Counters, Freshness, useNow } from "../parts/floor/counters";
import { Dock } from "../parts/floor/dock";
import { Providers } from "../parts/providers";
import { go } from "../route";

export function LiveFloor() {
  const [feed] = useState(() => new FloorFeed());
  const [focused, setFocused] = useState("");
  const [problem, setProblem] = useState("");
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => () => feed.close(), [feed]);
  const now = useNow();
  const calls = ordered(feed.calls.value.values());
  const chosen = chosenOf(calls, focused);
  // What was first when somebody looked stays chosen when another call comes before it.
  useLayoutEffect(() => {
    if (chosen !== null) setFocused(chosen.call_id);
  }, [chosen?.call_id]);

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
        <Freshness feed={feed} now={now} />
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
              seconds={lasted(call, now)}
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
