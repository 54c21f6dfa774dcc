// What was named in a kept call, each a jump to its sound; and the whole call as one signed package.

import { callUrl, type CallRecord, type TimelineEvent } from "../api";
import { EMPTY, withEntry } from "../desk/state";
import type { EntityInfo, Entry } from "../desk/wire";
import { may } from "../session";
import { clock, sentenceCase } from "../words";

/** The entities of a timeline, the pinned ones first. */
export function entitiesOf(events: readonly TimelineEvent[]): EntityInfo[] {
  const told = events.filter(({ kind }) => kind === "entity" || kind === "entity_pinned");
  const { entities } = told.reduce((state, entry) => withEntry(state, entry as Entry, 0), EMPTY);
  return entities.sort((a, b) => Number(b.pinned) - Number(a.pinned) || a.at_ms - b.at_ms);
}

interface Props {
  call: CallRecord;
  events: readonly TimelineEvent[];
  seek: ((ms: number) => void) | null;
}

export function Evidence({ call, events, seek }: Props) {
  const entities = entitiesOf(events);
  const ready = call.state !== "live" && call.recording !== "taping";
  return (
    <section class="card" aria-labelledby="evidence-title">
      <div class="coach-head">
        <h2 id="evidence-title">Evidence</h2>
        {ready && may("export") && (
          <a class="button" href={callUrl(call.id, "/evidence")} download={`evidence-${call.id}.zip`}>
            Export evidence
          </a>
        )}
      </div>
      {entities.length === 0 ? (
        <p class="quiet">No number, account, name or link was noticed in this call.</p>
      ) : (
        <ul class="evidence-list">
          {entities.map((one) => (
            <li key={one.id} class={one.pinned ? "pinned" : undefined}>
              <button
                type="button"
                class="plain time"
                disabled={seek === null}
                title="Listen from here"
                aria-label={`Listen at ${clock(one.at_ms)}: ${one.value}`}
                onClick={() => seek?.(Math.max(0, one.at_ms - 500))}
              >
                {clock(one.at_ms)}
              </button>
              <span class="quiet">{sentenceCase(one.kind)}</span>
              <bdi class="entity-value">{one.value}</bdi>
              {one.pinned && <span class="tag known">★ pinned</span>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
