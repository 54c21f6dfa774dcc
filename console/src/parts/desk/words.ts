// The desk's own plain words: modes, floors, stances, sources of sound. Pure.

import type { FloorCall, Mode, Stance } from "../../desk/wire";

export const STANCES: { stance: Stance; word: string; key: string; hint: string }[] = [
  { stance: "listen", word: "Listen", key: "L", hint: "Hear the call; nobody hears you" },
  { stance: "coach", word: "Coach the AI", key: "C", hint: "Hear the call and instruct the AI in writing" },
  { stance: "join", word: "Join", key: "J", hint: "Talk with the caller and the AI" },
  { stance: "take_over", word: "Take over", key: "T", hint: "Talk with the caller; the AI is silent" },
];

export function stanceWord(stance: Stance): string {
  const words = {
    listen: "listens",
    coach: "coaches the AI",
    join: "has joined",
    take_over: "has taken over",
    consult: "is told about the call",
  };
  return words[stance] ?? stance;
}

const MODES: Record<Mode, string> = {
  agent: "AI answers",
  join: "AI and operator",
  takeover: "Operator answers",
  say: "AI speaks for the operator",
  consult: "A colleague is told about it",
  hold: "On hold",
  waiting: "Waiting for the caller",
};

export function modeName(mode: Mode): string {
  return MODES[mode] ?? mode;
}

/** How a call is conducted, and by whom where a human holds it. */
export function modeWord(call: Pick<FloorCall, "mode" | "seats">): string {
  const holder = call.seats.find((one) => one.stance === "take_over");
  if (holder !== undefined && call.mode === "takeover") return `${holder.name} answers`;
  const watching = call.seats.filter((one) => one.stance === "listen" || one.stance === "coach").length;
  return `${modeName(call.mode)}${watching > 0 ? `, ${watching} listening` : ""}`;
}

/** Who speaks now, in words. */
export function floorWord(floor: string, mode: Mode): string {
  if (mode === "takeover") return "Humans talk";
  if (mode === "hold" || mode === "consult") return "Caller waits";
  switch (floor) {
    case "greeting":
    case "speaking":
    case "closing":
      return "AI speaks";
    case "hearing":
    case "pausing":
      return "Caller speaks";
    case "thinking":
      return "AI thinks";
    default:
      return "Nobody speaks";
  }
}

export function speakerWord(speaker: string, name: string, mine: boolean): string {
  if (mine) return name === "" ? "You" : `You (${name})`;
  if (name !== "") return name;
  return { caller: "Caller", agent: "AI", operator: "Operator", supervisor: "Supervisor" }[speaker] ?? speaker;
}
