// The operator's cockpit on one call: the strip, the keys, the talk, the coach, what is known. Lays out only.

import { useEffect, useRef, useState } from "preact/hooks";
import { type DeskCall, SHUT_OUT } from "../../desk/desk-call";
import { stand } from "../../desk/seated";
import { go, inPlace } from "../../route";
import { clock, endWord } from "../../words";
import { Meter } from "../meter";
import { Clips } from "./clips";
import { BriefingCard } from "./briefing";
import { CoachPanel } from "./coach-panel";
import { Commands } from "./commands";
import { Entities } from "./entities";
import { HearsStrip } from "./hears-strip";
import { CallerHistory } from "./history";
import { Speak } from "./speak";
import { DeskTranscript } from "./transcript";
import { CoachVoice } from "./voice";
import { modeName, stanceWord } from "./words";
import { WrapUp } from "./wrap-up";

export function Cockpit({ desk }: { desk: DeskCall }) {
  const { link, ending, notice, callId, seat } = desk.state.value;
  const say = useRef<HTMLTextAreaElement>(null);
  const instruct = useRef<HTMLTextAreaElement>(null);
  const over = link === "over";
  return (
    <div class="cockpit">
      <HearsStrip desk={desk}>
        <Clock desk={desk} />
      </HearsStrip>
      <Commands desk={desk} say={() => say.current?.focus()} instruct={() => instruct.current?.focus()} />
      {notice !== "" && (
        <p class="banner" role="alert" dir="auto">
          {notice}{" "}
          <button type="button" class="plain" onClick={() => desk.note("")}>
            Dismiss
          </button>
        </p>
      )}
      {over && seat !== "" && ending !== SHUT_OUT && <WrapUp callId={callId} ending={endWord(ending)} leave={() => leave()} />}
      <BriefingCard desk={desk} />
      <div class="cockpit-columns">
        <section class="card conversation" aria-label="Conversation">
          <Facts desk={desk} />
          <Meters desk={desk} />
          <DeskTranscript desk={desk} />
          <Speak desk={desk} sayBox={say} instructBox={instruct} />
        </section>
        <CoachPanel desk={desk} />
        <div class="cockpit-side">
          <Entities desk={desk} />
          <CallerHistory callId={callId} />
          <Clips desk={desk} />
          <CoachVoice desk={desk} />
          <p>
            <a href="/" onClick={inPlace}>
              Live floor
            </a>{" "}
            · <a href={`/calls/${callId}`}>This call's page</a>
          </p>
        </div>
      </div>
    </div>
  );
}

function leave(): void {
  stand();
  go("/");
}

function Clock({ desk }: { desk: DeskCall }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => tick((n) => n + 1), 500);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <span class="hears-clock figure" title="Length of the call">
      {clock(desk.mediaMs)}
    </span>
  );
}

/** How the call is conducted, and who else sits on it. */
function Facts({ desk }: { desk: DeskCall }) {
  const { mode, seats, seat } = desk.state.value;
  const others = seats.filter((one) => one.seat !== seat);
  return (
    <div class="desk-facts">
      <h1>Conversation</h1>
      <span class="mode-word">{modeName(mode)}</span>
      {others.map((one) => (
        <span key={one.seat} class="colleague">
          <bdi>{one.name}</bdi> {stanceWord(one.stance)}
        </span>
      ))}
    </div>
  );
}

function Meters({ desk }: { desk: DeskCall }) {
  const [levels] = useState(() => ({
    caller: () => desk.levels.now.caller ?? -90,
    agent: () => desk.levels.now.agent ?? -90,
    own: () => desk.headset?.ownLevel ?? -90,
  }));
  return (
    <div class="desk-meters">
      <Meter label="Caller" tone="--caller" level={levels.caller} />
      <Meter label="AI" tone="--agent" level={levels.agent} />
      <Meter label="You" tone="--operator" level={levels.own} />
    </div>
  );
}
