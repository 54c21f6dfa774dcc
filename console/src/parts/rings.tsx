// Whether this operator takes calls of queues, and the call that rings: shown above every page.

import { useEffect, useState } from "preact/hooks";
import { sit } from "../desk/seated";
import {
  accept,
  beginOperator,
  consults,
  decline,
  type Presence,
  presence,
  queued,
  type Ring,
  rings,
  setPresence,
} from "../floor/operator";
import { go } from "../route";
import { ConsultRinging } from "./consult-ring";

const WORDS: Record<Presence, string> = { available: "Available for calls", away: "Away" };

export function Rings() {
  const [problem, setProblem] = useState("");
  useEffect(beginOperator, []);
  const shown = presence.value !== null && (queued.value || rings.value.length > 0);
  if (!shown && consults.value.length === 0 && problem === "") return null;
  const attempt = (work: Promise<void>) => {
    setProblem("");
    work.catch((error: Error) => setProblem(error.message));
  };
  return (
    <section class="operator-bar" aria-label="Calls of queues">
      {shown && (
        <label>
          <span class="for-screen-readers">Presence</span>
          <select
            class="presence"
            value={presence.value ?? "away"}
            onChange={(event) => attempt(setPresence(event.currentTarget.value as Presence))}
          >
            {Object.entries(WORDS).map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        </label>
      )}
      {consults.value.map((ring) => (
        <ConsultRinging key={ring.callId} ring={ring} attempt={attempt} />
      ))}
      {rings.value.map((ring) => (
        <Ringing key={ring.callId} ring={ring} attempt={attempt} />
      ))}
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

function Ringing({ ring, attempt }: { ring: Ring; attempt: (work: Promise<void>) => void }) {
  const [left, setLeft] = useState(secondsLeft(ring));
  useEffect(() => {
    const timer = window.setInterval(() => setLeft(secondsLeft(ring)), 250);
    return () => window.clearInterval(timer);
  }, [ring]);
  const [answered, setAnswered] = useState(false);
  const answer = async () => {
    setAnswered(true);
    await accept(ring.callId);
    sit({ callId: ring.callId, stance: "take_over" });
    go(`/desk/${ring.callId}`);
  };
  return (
    <div class="ringing" role="alert">
      <strong>
        A call for you from <bdi>{ring.queue}</bdi>
      </strong>
      <span class="quiet" role="timer">
        {left} s
      </span>
      <button type="button" class="primary" disabled={answered} onClick={() => attempt(answer())}>
        Answer
      </button>
      <button type="button" onClick={() => attempt(decline(ring.callId))}>
        Not now
      </button>
    </div>
  );
}

function secondsLeft(ring: Ring): number {
  return Math.max(0, Math.round((ring.until - performance.now()) / 1000));
}
