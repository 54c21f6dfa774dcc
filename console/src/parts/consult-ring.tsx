// A call that somebody asks this person to take: who calls and why, before it is answered.

import { useEffect, useState } from "preact/hooks";
import { sit } from "../desk/seated";
import { acceptConsult, type ConsultRing, declineConsult } from "../floor/operator";
import { go } from "../route";
import { BriefingFacts } from "./desk/briefing";

export function ConsultRinging({ ring, attempt }: { ring: ConsultRing; attempt: (work: Promise<void>) => void }) {
  const [left, setLeft] = useState(secondsLeft(ring));
  useEffect(() => {
    const timer = window.setInterval(() => setLeft(secondsLeft(ring)), 250);
    return () => window.clearInterval(timer);
  }, [ring]);
  const [answered, setAnswered] = useState(false);
  const answer = async () => {
    setAnswered(true);
    await acceptConsult(ring.callId);
    sit({ callId: ring.callId, stance: "consult" });
    go(`/desk/${ring.callId}`);
  };
  return (
    <div class="ringing consult" role="alert">
      <strong>
        For you: <bdi>{ring.by === "" ? "the AI" : ring.by}</bdi> asks you to take a call
      </strong>
      <span class="quiet" role="timer">
        {left} s
      </span>
      <button type="button" class="primary" disabled={answered} onClick={() => attempt(answer())}>
        Hear about it
      </button>
      <button type="button" onClick={() => attempt(declineConsult(ring.callId))}>
        Decline
      </button>
      <BriefingFacts briefing={ring.briefing} />
    </div>
  );
}

function secondsLeft(ring: ConsultRing): number {
  return Math.max(0, Math.round((ring.until - performance.now()) / 1000));
}
