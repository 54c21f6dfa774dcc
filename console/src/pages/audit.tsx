// The audit log, newest first: who did what, when, on which call. Reads only; nothing can be changed there.

import { useEffect, useState } from "preact/hooks";
import { apiGet } from "../api";
import { may } from "../session";
import { moment, sentenceCase } from "../words";

interface Deed {
  seq: number;
  at: string;
  person: string;
  name: string;
  role: string;
  action: string;
  call_id: string;
  detail: Record<string, unknown>;
}

const PAGE = 50;

export function AuditPage() {
  const [deeds, setDeeds] = useState<Deed[] | null>(null);
  const [trail, setTrail] = useState<number[]>([]);
  const [next, setNext] = useState<number | null>(null);
  const [problem, setProblem] = useState("");
  const before = trail[trail.length - 1];
  useEffect(() => {
    let current = true;
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (before !== undefined) query.set("before", String(before));
    apiGet<{ entries: Deed[]; next: number | null }>(`/api/audit?${query}`)
      .then((page) => {
        if (!current) return;
        setDeeds(page.entries);
        setNext(page.next);
        setProblem("");
      })
      .catch((error: Error) => current && setProblem(error.message));
    return () => {
      current = false;
    };
  }, [before]);
  const older = () => {
    if (next === null) return;
    setTrail([...trail, next]);
    setNext(null); // a second click goes no further
  };
  return (
    <>
      <div class="page-head">
        <h1>Audit</h1>
        {may("see_all_audit") && <Check />}
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
          disabled={next === null}
          onClick={older}
        >
          Older →
        </button>
      </nav>
    </>
  );
}

/** Walks the whole chain on the server: is the log as it was written? */
function Check() {
  const [found, setFound] = useState("");
  const check = () =>
    apiGet<{ entries: number; broken_at: number | null }>("/api/audit/verification")
      .then(({ entries, broken_at }) =>
        setFound(broken_at === null ? `Whole: all ${entries} entries are as written.` : `Altered at entry ${broken_at}!`),
      )
      .catch((error: Error) => setFound(error.message));
  return (
    <>
      <span role="status">{found}</span>
      <button type="button" onClick={() => void check()}>
        Check the log
      </button>
    </>
  );
}

function told(detail: Record<string, unknown>): string {
  return Object.entries(detail ?? {})
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
