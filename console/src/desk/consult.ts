// Where a warm transfer stands, from the call's timeline. Pure.

import type { Briefing } from "../floor/operator";
import type { Entry } from "./wire";

export interface Consult {
  id: string;
  state: string;
  /** The seat of who is told about the call. */
  seat: string;
  over: boolean;
  word: string;
  briefing: Briefing | null;
  /** What the briefing voice said, in order. */
  answers: string[];
}

const ENDS = ["connected", "declined", "timed_out", "abandoned"];

/** The latest one of the call; null where there was none. */
export function consultOf(events: readonly Entry[]): Consult | null {
  return events.reduce<Consult | null>(withEntry, null);
}

function withEntry(found: Consult | null, entry: Entry): Consult | null {
  const id = String(entry.id);
  if (entry.kind === "consult") {
    const state = String(entry.state);
    const { briefing, answers } = found !== null && found.id === id ? found : { briefing: null, answers: [] };
    const word = wordOf(state, String(entry.name ?? ""));
    return { id, state, seat: String(entry.seat ?? ""), over: ENDS.includes(state), word, briefing, answers };
  }
  if (found === null || found.id !== id) return found;
  if (entry.kind === "consult_briefing") return { ...found, briefing: entry.card as Briefing };
  if (entry.kind !== "consult_said" || entry.human === true) return found;
  return { ...found, answers: [...found.answers, String(entry.text)] };
}

function wordOf(state: string, name: string): string {
  const who = name === "" ? "somebody" : name;
  const words: Record<string, string> = {
    asked: "looking for somebody",
    ringing: `${who} is rung`,
    briefing: `${who} is told about the call`,
    connected: `${who} has the call`,
    declined: `${who} declined`,
    timed_out: "nobody answered",
    abandoned: "it was called off",
  };
  return words[state] ?? state;
}
