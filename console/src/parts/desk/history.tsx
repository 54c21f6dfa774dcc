// Earlier calls of the same number, so that nobody starts from nothing. Lists only.

import { useEffect, useState } from "preact/hooks";
import { type EarlierCalls, fetchCall } from "../../api";
import { calledBefore, clock, endLabel, moment } from "../../words";

interface Known extends EarlierCalls {
  number: string;
}

export function CallerHistory({ callId }: { callId: string }) {
  const [known, setKnown] = useState<Known | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    if (!callId.startsWith("call_")) return; // a name of its client's: the call has not begun
    fetchCall(callId)
      .then(({ call, earlier }) =>
        setKnown({ ...earlier, number: call.direction === "outbound" ? call.called : call.caller }),
      )
      .catch((error: Error) => setProblem(error.message));
  }, [callId]);
  return (
    <section class="card history" aria-labelledby="history-title">
      <h2 id="history-title">Earlier calls</h2>
      <p class="quiet">{problem || (known === null ? "Looking …" : summary(known))}</p>
      <ul>
        {known?.calls.map((call) => (
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

function summary({ number, count, last_at, calls }: Known): string {
  if (number === "") return "This caller has no number.";
  if (count === 0 || last_at === null) return "This number has not called before.";
  const others = calls.length === 0 ? " These calls are not among yours." : "";
  return `${calledBefore(count, last_at)}.${others}`;
}
