// The call list: one page of calls, newest first; live ones refresh by themselves.

import { useEffect, useState } from "preact/hooks";
import { type CallRecord, fetchCalls } from "../api";
import { Providers } from "../parts/providers";
import { clock, endLabel, latencies, moment, sentenceCase } from "../words";

const PAGE = 25;
const REFRESH_MS = 4_000;
const CHANNELS = ["phone", "browser", "webrtc", "livekit", "device", "text", "silent"];

interface Loaded {
  calls: CallRecord[];
  next: string | null;
}

export function CallList() {
  const [channel, setChannel] = useState("");
  const [trail, setTrail] = useState<string[]>([]);
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState("");
  const before = trail[trail.length - 1] ?? "";

  useEffect(() => {
    let current = true;
    let timer = 0;
    let shown = false;
    const load = async () => {
      try {
        const answer = document.hidden && shown ? null : await fetchCalls({ limit: PAGE, before, channel });
        if (!current) return;
        if (answer !== null) {
          setLoaded(answer);
          setProblem("");
        }
        shown = true;
      } catch (error) {
        if (current) setProblem(error instanceof Error ? error.message : String(error));
      }
      if (current) timer = window.setTimeout(load, REFRESH_MS);
    };
    void load();
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [before, channel]);

  const older = () => {
    if (!loaded?.next) return;
    setTrail([...trail, loaded.next]);
    setLoaded({ ...loaded, next: null }); // a second click goes no further
  };
  const filter = (value: string) => {
    setChannel(value);
    setTrail([]);
    setLoaded(null);
  };
  return (
    <>
      <div class="page-head">
        <h1>Calls</h1>
        <label>
          Channel
          <select value={channel} onChange={(event) => filter(event.currentTarget.value)}>
            <option value="">All</option>
            {CHANNELS.map((name) => (
              <option key={name} value={name}>
                {channelWord(name)}
              </option>
            ))}
          </select>
        </label>
        <a class="button primary" href="/call">
          Call the agent
        </a>
      </div>
      <Providers />
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      {loaded === null && problem === "" && <p class="quiet">Loading the calls …</p>}
      {loaded !== null && loaded.calls.length === 0 && <Empty channel={channel} first={trail.length === 0} />}
      {loaded !== null && loaded.calls.length > 0 && <Table calls={loaded.calls} />}
      {(trail.length > 0 || loaded?.next) && (
        <nav class="pager" aria-label="Pages">
          <button type="button" disabled={trail.length === 0} onClick={() => setTrail(trail.slice(0, -1))}>
            ← Newer
          </button>
          <button
            type="button"
            disabled={!loaded?.next}
            onClick={older}
          >
            Older →
          </button>
        </nav>
      )}
    </>
  );
}

function Empty({ channel, first }: { channel: string; first: boolean }) {
  if (channel !== "" || !first) {
    return (
      <div class="empty">
        <h2>No {channel === "" ? "more" : channelWord(channel).toLowerCase()} calls</h2>
      </div>
    );
  }
  return (
    <div class="empty">
      <h2>No calls yet</h2>
      <p>Every call is listed here, with its recording, transcript and response times.</p>
      <p>
        <a class="button primary" href="/call">
          Make your first call
        </a>
      </p>
    </div>
  );
}

function Table({ calls }: { calls: CallRecord[] }) {
  return (
    <div class="table-frame">
      <table class="calls">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Direction</th>
            <th scope="col">Channel</th>
            <th scope="col">Agent</th>
            <th scope="col">Caller</th>
            <th scope="col" class="number">
              Duration
            </th>
            <th scope="col" class="number">
              Turns
            </th>
            <th scope="col" class="number">
              Response p50 / p95
            </th>
            <th scope="col">Ended</th>
            <th scope="col">Recording</th>
          </tr>
        </thead>
        <tbody>
          {calls.map((call) => (
            <Row key={call.id} call={call} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ call }: { call: CallRecord }) {
  const live = call.state === "live";
  const other = call.direction === "outbound" ? call.called : call.caller;
  return (
    <tr class={live ? "live" : undefined}>
      <td data-label="Time">
        <a href={`/calls/${call.id}`}>{moment(call.started_at)}</a>
      </td>
      <td data-label="Direction">{sentenceCase(call.direction)}</td>
      <td data-label="Channel">{channelWord(call.channel)}</td>
      <td data-label="Agent" dir="auto">
        {call.agent}
      </td>
      <td data-label="Caller" dir="auto">
        {other || "–"}
      </td>
      <td data-label="Duration" class="number">
        {clock(live ? Date.now() - Date.parse(call.started_at) : call.duration_ms)}
      </td>
      <td data-label="Turns" class="number">
        {call.turns}
      </td>
      <td data-label="Response" class="number">
        {latencies(call.response_p50_ms, call.response_p95_ms)}
      </td>
      <td data-label="Ended">{live ? <LiveTag /> : endLabel(call.end_reason) || sentenceCase(call.state)}</td>
      <td data-label="Recording">{recordingWord(call.recording)}</td>
    </tr>
  );
}

export function LiveTag() {
  return <span class="tag live">Live</span>;
}

export function channelWord(channel: string): string {
  const names: Record<string, string> = { webrtc: "WebRTC", livekit: "LiveKit" };
  return names[channel] ?? sentenceCase(channel);
}

export function recordingWord(state: CallRecord["recording"]): string {
  return { none: "–", taping: "Recording", sealed: "Kept", failed: "Failed", deleted: "Deleted" }[state] ?? state;
}
