// One live call on the floor: why it needs somebody, who is on it, what was said last. Draws only.

import type { FloorCall } from "../../desk/wire";
import { urgency } from "../../floor/attention";
import { channelWord } from "../../pages/call-list";
import { calledBefore, clock, languageName, latency, moment, sentenceCase } from "../../words";
import { floorWord, modeWord } from "../desk/words";
import { Mood } from "./mood";

interface Props {
  call: FloorCall;
  focused: boolean;
  /** How long the call is. */
  seconds: number;
  focus: () => void;
  open: () => void;
}

export function FloorCard({ call, focused, seconds, focus, open }: Props) {
  const { tone, word } = urgency(call.attention);
  const other = call.direction === "outbound" ? call.called : call.caller;
  const name = other || `${channelWord(call.channel)} caller`;
  return (
    <article
      class={`card floor-card ${tone}${focused ? " focused" : ""}${call.alerts?.length ? " alerted" : ""}`}
      id={`call-${call.call_id}`}
      aria-label={`${name}, ${word}`}
      aria-current={focused ? "true" : undefined}
      tabIndex={focused ? 0 : -1}
      onFocus={focus}
      onClick={focus}
      onDblClick={open}
    >
      <header>
        <h2>
          <bdi>{name}</bdi>
        </h2>
        <span class="figure timer">{clock(seconds * 1000)}</span>
      </header>
      <p class="flags">
        <span class={`urgency ${tone}`} title={`Attention ${Math.round(call.attention)} of 100`}>
          <i aria-hidden="true" />
          {word} {Math.round(call.attention)}
        </span>
        {call.returning && <span class="tag known">Returning caller</span>}
      </p>
      {call.earlier && <Earlier calls={call.earlier} />}
      <p class="floor-facts">
        <span>{channelWord(call.channel)}</span>
        <span>{call.agent}</span>
        {call.language !== "" && <span>{languageName(call.language)}</span>}
        <span class="mode-word">{modeWord(call)}</span>
      </p>
      <ul class="reasons" aria-label="Why it needs attention">
        {call.why.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
        {call.why.length === 0 && <li class="fine">Nothing unusual</li>}
      </ul>
      {call.sentiment && <Mood sentiment={call.sentiment} />}
      <div class="bars">
        <Bar label="Caller" tone="caller" level={call.levels.caller} />
        <Bar label="Agent" tone="agent" level={call.levels.agent} />
      </div>
      <div class="last-line">
        {call.last_line?.text ? (
          <>
            <b class={call.last_line.leg}>{sentenceCase(call.last_line.leg)}</b>
            <p dir="auto">{call.last_line.text}</p>
          </>
        ) : (
          <span class="quiet">Nothing said yet</span>
        )}
      </div>
      <footer>
        <span>{floorWord(call.floor, call.mode)}</span>
        {call.intent !== "" && <span class="intent">{sentenceCase(call.intent)}</span>}
        {call.warning_level !== "none" && call.warning_level !== undefined && (
          <span class={`warning-chip ${call.warning_level}`} title={call.warning}>
            {sentenceCase(call.warning_level)} risk
          </span>
        )}
        <span class="response" title="Response time of the last turn">
          {latency(call.last_response_ms)}
        </span>
      </footer>
    </article>
  );
}

function Earlier({ calls }: { calls: NonNullable<FloorCall["earlier"]> }) {
  return (
    <p class="earlier quiet">
      {calledBefore(calls.count, calls.last_at)}
      {calls.calls.length > 0 && ": "}
      {calls.calls.map((one, at) => (
        <span key={one.call_id}>
          {at > 0 && " · "}
          <a href={`/calls/${one.call_id}`} target="_blank" rel="noreferrer" onClick={(event) => event.stopPropagation()}>
            {moment(one.at)}
          </a>
        </span>
      ))}
    </p>
  );
}

/** A level as a bar that needs no drawing loop: the floor sends two a second. */
function Bar({ label, tone, level }: { label: string; tone: string; level: number | undefined }) {
  const share = Math.max(0, Math.min(1, 1 + (level ?? -90) / 60));
  return (
    <div class={`bar ${tone}`}>
      <span>{label}</span>
      <span class="track" aria-hidden="true">
        <i style={{ transform: `scaleX(${share.toFixed(3)})` }} />
      </span>
    </div>
  );
}
