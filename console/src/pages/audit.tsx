// The audit log, newest first: who did what, when, on which call. Reads only; nothing can be changed there.

import { useEffect, useState } from "preact/hooks";
import { apiGet } from "../api";
import { moment, sentenceCase } from "../words";

interface Deed {
  seq: number;
  at: string;
  person: string;
  name?: string;
  action: string;
  call_id: string;
  detail: Record<string, unknown>;
}

const PAGE = 50;

export function AuditPage() {
  const [deeds, setDeeds] = useState<Deed[] | null>(null);
  const [trail, setTrail] = useState<number[]>([]);
  const [problem, setProblem] = useState("");
  const before = trail[trail.length - 1];
  useEffect(() => {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (before !== undefined) query.set("before", String(before));
    apiGet<{ entries: Deed[] }>(`/api/audit?${query}`)
      .then(({ entries }) => setDeeds(entries))
      .catch((error: Error) => setProblem(error.message));
  }, [before]);
  const last = deeds?.[deeds.length - 1];
  return (
    <>
      <div class="page-head">
        <h1>Audit</h1>
        <span class="quiet">Every entry holds the fingerprint of the one before; none can be changed unseen.</span>
      </div>
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      {deeds?.length === 0 && <p class="card quiet">Nothing has been done yet.</p>}
      {deeds !== null && deeds.length > 0 && (
        <div class="table-frame">
          <table class="calls plain-rows">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Who</th>
                <th scope="col">Did</th>
                <th scope="col">Call</th>
                <th scope="col">Detail</th>
              </tr>
            </thead>
            <tbody>
              {deeds.map((deed) => (
                <tr key={deed.seq}>
                  <td data-label="Time">{moment(deed.at)}</td>
                  <td data-label="Who">
                    <bdi>{deed.name || deed.person}</bdi>
                  </td>
                  <td data-label="Did">{sentenceCase(deed.action)}</td>
                  <td data-label="Call">{deed.call_id !== "" && <a href={`/calls/${deed.call_id}`}>Open</a>}</td>
                  <td data-label="Detail" class="audit-detail" dir="auto">
                    {told(deed.detail)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <nav class="pager" aria-label="Pages">
        <button type="button" disabled={trail.length === 0} onClick={() => setTrail(trail.slice(0, -1))}>
          ← Newer
        </button>
        <button
          type="button"
          disabled={last === undefined || (deeds?.length ?? 0) < PAGE}
          onClick={() => last && setTrail([...trail, last.seq])}
        >
          Older →
        </button>
      </nav>
    </>
  );
}

function told(detail: Record<string, unknown>): string {
  return Object.entries(detail ?? {})
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
