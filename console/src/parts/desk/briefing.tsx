// A warm transfer in the cockpit: where it stands, the briefing card, and what to do about it.

import type { DeskCall } from "../../desk/desk-call";
import { consultOf } from "../../desk/consult";
import type { Briefing } from "../../floor/operator";

/** Who calls, why, what was said and promised. */
export function BriefingFacts({ briefing }: { briefing: Briefing }) {
  const { caller, reason, intent, summary, said, promises, entities, mood } = briefing;
  const about = summary || reason || intent.replaceAll("_", " ");
  const rows: [string, string][] = [
    ["Caller", caller === "" ? "number not shown" : caller],
    ["About", about],
    ["Last words", said[said.length - 1] ?? ""],
    ["Promised", promises.join(" ")],
    ["Seems", mood],
    ["Gave", entities.map((one) => `${one.type.replaceAll("_", " ")} ${one.value}`).join(", ")],
  ];
  return (
    <dl class="briefing-facts">
      {rows
        .filter(([, value]) => value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd dir="auto">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function BriefingCard({ desk }: { desk: DeskCall }) {
  const { events, seat, link } = desk.state.value;
  const consult = consultOf(events);
  if (link !== "up" || consult === null || consult.over) return null;
  const mine = consult.state === "briefing" && consult.seat === seat;
  return (
    <section class="card briefing" aria-label="Warm transfer" aria-live="polite">
      <h2>{mine ? "You are told about this call" : `A colleague is asked: ${consult.word}`}</h2>
      {mine && consult.briefing !== null && <BriefingFacts briefing={consult.briefing} />}
      {mine && consult.answers.length > 0 && (
        <p class="quiet" dir="auto">
          “{consult.answers[consult.answers.length - 1]}”
        </p>
      )}
      {mine ? (
        <p class="row">
          <button type="button" class="primary" onClick={() => desk.send({ type: "warm_act", step: "connect" })}>
            Connect <kbd aria-hidden="true">K</kbd>
          </button>
          <button type="button" onClick={() => desk.send({ type: "warm_act", step: "connect", coach: false })}>
            Connect without the AI
          </button>
          <button type="button" onClick={() => desk.send({ type: "warm_act", step: "again" })}>
            Tell me again
          </button>
          <button type="button" class="danger" onClick={() => desk.send({ type: "warm_act", step: "decline" })}>
            Decline
          </button>
        </p>
      ) : (
        <p class="row">
          <button type="button" onClick={() => desk.send({ type: "warm_act", step: "cancel" })}>
            Ask nobody
          </button>
        </p>
      )}
    </section>
  );
}
