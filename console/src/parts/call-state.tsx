// The state of the call as one sign: a word, a sentence, a colour and a shape. Muted and lost outrank the floor.

import { useEffect, useState } from "preact/hooks";
import type { PhoneCall } from "../phone/call";
import type { Floor } from "../phone/wire";

interface Sign {
  /** The class that gives colour and shape. */
  look: "wait" | "listen" | "hear" | "think" | "speak" | "bad" | "over";
  word: string;
  sentence: string;
}

const FLOORS: Record<Floor, Sign> = {
  greeting: { look: "speak", word: "Speaking", sentence: "The agent is greeting you." },
  listening: { look: "listen", word: "Listening", sentence: "It is your turn: go ahead." },
  hearing: { look: "hear", word: "Hearing you", sentence: "The agent hears you speak." },
  pausing: { look: "hear", word: "Hearing you", sentence: "Go on, or pause to be answered." },
  thinking: { look: "think", word: "Thinking", sentence: "The answer is on its way." },
  speaking: { look: "speak", word: "Speaking", sentence: "The agent is speaking; you can interrupt." },
  holding: { look: "speak", word: "Holding", sentence: "The agent stopped to hear whether you speak." },
  closing: { look: "speak", word: "Saying goodbye", sentence: "The agent is ending the call." },
  ended: { look: "over", word: "Call ended", sentence: "" },
};

/** The sign of a call that is up; a text call is told to type instead of to speak. */
export function floorSign(floor: Floor, muted: boolean, spoken: boolean): Sign {
  const sign = FLOORS[floor] ?? FLOORS.listening;
  if (muted) return { ...sign, word: `${sign.word} – you are muted`, sentence: "The agent cannot hear you." };
  if (!spoken && sign.look === "listen") return { ...sign, word: "Your turn", sentence: "Type what you want to say." };
  if (!spoken && sign.look === "speak") return { ...sign, word: "Answering", sentence: "The agent is answering." };
  return sign;
}

export function CallState({ call }: { call: PhoneCall }) {
  const sign = useSign(call);
  return (
    <div class={`state ${sign.look}${call.muted.value && call.phase.value === "up" ? " is-muted" : ""}`}>
      <span class="shape" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <div role="status" aria-live="polite">
        <strong class="state-word">{sign.word}</strong>
        <span class="state-sentence">{sign.sentence}</span>
      </div>
    </div>
  );
}

function useSign(call: PhoneCall): Sign {
  const left = useSecondsLeft(call);
  switch (call.phase.value) {
    case "permission":
      return { look: "wait", word: "Microphone", sentence: "Please allow the microphone in your browser." };
    case "connecting":
      return { look: "wait", word: "Connecting", sentence: "The call is being set up." };
    case "lost":
      return { look: "bad", word: "Reconnecting", sentence: `The connection was lost; trying for another ${left} s.` };
    case "over":
      return { look: "over", word: "Call ended", sentence: call.ending.value };
    default:
      return floorSign(call.floor.value, call.muted.value, call.microphone.value);
  }
}

function useSecondsLeft(call: PhoneCall): number {
  const [now, setNow] = useState(0);
  const lost = call.phase.value === "lost";
  useEffect(() => {
    if (!lost) return;
    setNow(performance.now());
    const timer = window.setInterval(() => setNow(performance.now()), 200);
    return () => window.clearInterval(timer);
  }, [lost]);
  return Math.max(0, Math.ceil((call.deadline.value - (now || performance.now())) / 1000));
}
