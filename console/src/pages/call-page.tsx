// The page of one call: facts, recording, transcript, waterfall, timeline, downloads. A live call refreshes.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { ApiError, type CallDetail, type CallRecord, type Peaks, type TimelineEvent, type TurnRecord, callUrl, fetchCall, fetchPeaks } from "../api";
import { moodsByTurn } from "../floor/mood";
import { Evidence } from "../parts/evidence";
import { Moods } from "../parts/moods";
import { Player } from "../parts/player";
import { Timeline } from "../parts/timeline";
import { Transcript, type TranscriptProps } from "../parts/transcript";
import { Waterfall } from "../parts/waterfall";
import { may } from "../session";
import { clock, endLabel, endWord, latency, moment, sentenceCase } from "../words";
import { LiveTag, channelWord, recordingWord } from "./call-list";

const REFRESH_MS = 2_000;

export function CallPage({ id }: { id: string }) {
  const [detail, setDetail] = useState<CallDetail | null>(null);
  const [peaks, setPeaks] = useState<Peaks | null>(null);
  const [problem, setProblem] = useState("");
  const position = useSignal(0);
  const wish = useSignal<number | null>(null);

  useEffect(() => {
    let current = true;
    let timer = 0;
    const load = async () => {
      let again = true;
      try {
        const answer = await fetchCall(id);
        if (!current) return;
        setDetail(answer);
        setProblem("");
        again = answer.call.state === "live" || answer.call.recording === "taping";
        if (answer.call.recording === "sealed") setPeaks(await fetchPeaks(id).catch(() => null));
      } catch (error) {
        again = !(error instanceof ApiError && error.status === 404);
        if (current) setProblem(again ? (error as Error).message : "There is no call with this id.");
      }
      if (again && current) timer = window.setTimeout(load, REFRESH_MS);
    };
    void load();
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [id]);

  if (detail === null) return <Waiting problem={problem} />;
  const { call, turns, events } = detail;
  const recorded = call.recording === "sealed";
  const ordered = [...turns].sort((a, b) => order(a) - order(b) || a.started_ms - b.started_ms);
  const seek = (ms: number) => {
    wish.value = ms;
  };
  return (
    <>
      <Head call={call} />
      <Outcome events={events} />
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      <Facts call={call} />
      {recorded ? (
        <Player
          id={id}
          peaks={peaks}
          durationMs={peaks?.duration_ms ?? call.duration_ms}
          position={position}
          wish={wish}
        />
      ) : (
        <p class="card quiet">{recordingSentence(call)}</p>
      )}
      <div class="columns">
        <section class="card" aria-labelledby="transcript-title">
          <h2 id="transcript-title">Transcript</h2>
          <Followed position={position} turns={ordered} seek={recorded ? seek : null} moods={moodsByTurn(events)} />
        </section>
        <div>
          <section class="card" aria-labelledby="waterfall-title">
            <h2 id="waterfall-title">Response time per turn</h2>
            <Waterfall turns={ordered} seek={seek} />
          </section>
          <Moods events={events} />
          <Evidence call={call} events={events} seek={recorded ? seek : null} />
          <Downloads call={call} />
          <section class="card" aria-labelledby="timeline-title">
            <h2 id="timeline-title">Timeline</h2>
            <Timeline events={events} />
          </section>
        </div>
      </div>
    </>
  );
}

/** The transcript alone follows the recording: the rest of the page is not drawn anew for every frame. */
function Followed({ position, ...shown }: { position: Signal<number> } & Omit<TranscriptProps, "positionMs">) {
  return <Transcript positionMs={position.value} {...shown} />;
}

/** By turn, the caller's words before the reply to them. */
function order(turn: TurnRecord): number {
  return turn.turn * 2 + (turn.leg === "caller" ? 0 : 1);
}

function Waiting({ problem }: { problem: string }) {
  if (problem === "") return <p class="quiet">Loading the call …</p>;
  return (
    <div class="empty">
      <h1>{problem}</h1>
      <p>
        <a href="/calls">Back to the calls</a>
      </p>
    </div>
  );
}

function Head({ call }: { call: CallRecord }) {
  const other = call.direction === "outbound" ? call.called : call.caller;
  return (
    <div class="page-head">
      <h1>
        <bdi>{other || `${channelWord(call.channel)} call`}</bdi>
      </h1>
      {call.state === "live" && <LiveTag />}
      {call.state === "live" && may("listen") && (
        <a class="button" href={`/desk/${call.id}`}>
          Open the cockpit
        </a>
      )}
      {call.state === "recovered" && <span class="tag">Recovered after a crash</span>}
      <code class="id">{call.id}</code>
    </div>
  );
}

/** What a human said came of it, the latest word. */
function Outcome({ events }: { events: readonly TimelineEvent[] }) {
  const last = events.filter(({ kind }) => kind === "wrapped_up").at(-1);
  if (last === undefined) return null;
  return (
    <p class="card outcome">
      <b>{sentenceCase(String(last.disposition))}</b> <bdi>{String(last.note)}</bdi>{" "}
      <span class="quiet">{String(last.name)}</span>
    </p>
  );
}

function Facts({ call }: { call: CallRecord }) {
  const live = call.state === "live";
  const facts: [string, string][] = [
    ["Started", moment(call.started_at)],
    ["Duration", clock(live ? Date.now() - Date.parse(call.started_at) : call.duration_ms)],
    ["Direction", sentenceCase(call.direction)],
    ["Channel", channelWord(call.channel)],
    ["Agent", call.agent],
    ["Turns", String(call.turns)],
    ["Response p50", latency(call.response_p50_ms)],
    ["Response p95", latency(call.response_p95_ms)],
    ["Ended", live ? "Not yet" : endLabel(call.end_reason) || sentenceCase(call.state)],
    ["Recording", recordingWord(call.recording)],
  ];
  return (
    <dl class="facts card" title={call.end_reason === null ? undefined : endWord(call.end_reason)}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function recordingSentence(call: CallRecord): string {
  switch (call.recording) {
    case "taping":
      return call.state === "live"
        ? "The recording can be heard here when the call has ended."
        : "The recording is being sealed and will be here in a moment.";
    case "failed":
      return "The recording of this call failed; its transcript was kept.";
    case "deleted":
      return "The recording of this call was deleted.";
    default:
      return "This call was not recorded.";
  }
}

function Downloads({ call }: { call: CallRecord }) {
  const sound: [string, string][] =
    call.recording === "sealed"
      ? [
          ["Ogg/Opus", "/recording?format=ogg"],
          ["WAV", "/recording?format=wav"],
        ]
      : [];
  const files: [string, string][] = [
    ...sound,
    ["Text", "/transcript?format=text"],
    ["WebVTT", "/transcript?format=vtt"],
    ["JSON", "/transcript?format=json"],
  ];
  return (
    <section class="card" aria-labelledby="downloads-title">
      <h2 id="downloads-title">Downloads</h2>
      <ul class="downloads">
        {files.map(([name, path]) => (
          <li key={name}>
            <a class="button" href={callUrl(call.id, path)} download={`${call.id}${suffix(name)}`}>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function suffix(name: string): string {
  return { "Ogg/Opus": ".ogg", WAV: ".wav", Text: ".txt", WebVTT: ".vtt", JSON: ".json" }[name] ?? "";
}
