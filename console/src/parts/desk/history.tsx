// Earlier calls of the same number, so that nobody starts from nothing. Lists only.

import { useEffect, useState } from "preact/hooks";
import { type CallRecord, fetchCall, fetchCalls } from "../../api";
import { clock, endLabel, moment } from "../../words";

const ASKED = 100;
const SHOWN = 5;

export function CallerHistory({ callId }: { callId: string }) {
  const [calls, setCalls] = useState<CallRecord[] | null>(null);
  const [caller, setCaller] = useState("");
  useEffect(() => {
    if (!callId.startsWith("call_")) return; // a name of its client's: the call has not begun
    const load = async () => {
      const { call } = await fetchCall(callId);
      const other = call.direction === "outbound" ? call.called : call.caller;
      setCaller(other);
      if (other === "") return setCalls([]);
      const { calls } = await fetchCalls({ limit: ASKED });
      setCalls(calls.filter((one) => one.id !== callId && (one.caller === other || one.called === other)));
    };
    load().catch(() => setCalls([]));
  }, [callId]);
  return (
    <section class="card history" aria-labelledby="history-title">
      <h2 id="history-title">Earlier calls</h2>
      {calls === null && <p class="quiet">Looking …</p>}
      {calls?.length === 0 && (
        <p class="quiet">{caller === "" ? "This caller has no number." : "None kept among the latest calls."}</p>
      )}
      <ul>
        {calls?.slice(0, SHOWN).map((call) => (
          <li key={call.id}>
            <a href={`/calls/${call.id}`} target="_blank" rel="noreferrer">
              {moment(call.started_at)}
            </a>
            <span class="figure quiet">{clock(call.duration_ms)}</span>
            <span class="quiet">{call.state === "live" ? "live now" : endLabel(call.end_reason)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
