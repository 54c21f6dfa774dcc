// Who can hear the operator at this moment, as one sentence. It follows the server's own routing, never a wish. Pure.

import type { Hears, Mode, Part, SeatInfo, Stance } from "./wire";

export type Link = "connecting" | "up" | "lost" | "over";

export interface Situation {
  link: Link;
  mode: Mode;
  hears: Hears;
  seats: readonly SeatInfo[];
  /** This console's seat; its stance is read from `seats`. */
  seat: string;
  leg: string;
  muted: boolean;
  microphone: boolean;
  /** The link is over, and nobody said that the call is: it may go on without this seat. */
  shutOut?: boolean;
}

export interface Audience {
  /** Gives colour and icon. */
  tone: "private" | "muted" | "both" | "caller" | "hold" | "lost" | "over";
  words: string;
  detail: string;
}

export function talks(stance: Stance): boolean {
  return stance === "join" || stance === "take_over";
}

export function stanceOf(seats: readonly SeatInfo[], seat: string): Stance {
  return seats.find((one) => one.seat === seat)?.stance ?? "listen";
}

/** The ears that this console's microphone reaches now. */
export function reached(now: Situation): Part[] {
  const live = now.link === "up" && now.microphone && !now.muted && talks(stanceOf(now.seats, now.seat));
  if (!live) return [];
  return (Object.keys(now.hears) as Part[]).filter((ear) => {
    const sources = now.hears[ear] ?? [];
    return sources.includes("operator") || sources.includes(now.leg as Part);
  });
}

/** Who would hear this seat if its microphone were on: the server's table (call/modes.py), for a seat that talks. */
export function wouldReach(mode: Mode, stance: Stance): Part[] {
  if (!talks(stance)) return [];
  if (mode === "join") return ["caller", "agent"];
  return mode === "takeover" ? ["caller"] : [];
}

export function audience(now: Situation): Audience {
  if (now.link !== "up") return unconnected(now);
  if (now.mode === "waiting") {
    const off = now.muted ? " You are muted: the caller will not hear you." : "";
    return { tone: "private", words: "Nobody hears you yet", detail: `Waiting for the caller.${off}` };
  }
  const stance = stanceOf(now.seats, now.seat);
  const ears = reached(now);
  const hearing = youHear(now, stance);
  if (now.mode === "hold" && ears.length === 0) {
    const off = now.muted && talks(stance) ? " You are muted: after the hold nobody would hear you." : "";
    return { tone: "hold", words: "On hold: nobody hears you", detail: `The caller hears hold audio.${off}` };
  }
  if (now.mode === "consult" && ears.every((ear) => ear !== "caller")) return consulted(now, stance);
  const [caller, agent] = [ears.includes("caller"), ears.includes("agent")];
  const detail = `${hearing}${colleagues(now, ears)}`;
  if (caller && agent) return { tone: "both", words: "The caller and the AI hear you", detail };
  if (caller) {
    const silent = !(now.hears.caller ?? []).includes("agent");
    const words = silent ? "The caller hears you; the AI is silent" : "The caller hears you and the AI";
    return { tone: "caller", words, detail };
  }
  if (agent) return { tone: "both", words: "The AI hears you; the caller does not", detail };
  return unheard(now, stance, detail);
}

/** While somebody is told about the call in private: the briefing voice and colleagues are all that is heard. */
function consulted(now: Situation, stance: Stance): Audience {
  const waits = "The caller hears hold audio.";
  if (stance === "consult") {
    const voice = now.microphone && !now.muted ? "The briefing voice hears you; the caller does not" : "Nobody hears you";
    return { tone: "private", words: voice, detail: `You are told about the call in private. ${waits}` };
  }
  const heard = talks(stance) && now.microphone && !now.muted;
  const words = heard ? "Your colleague hears you; the caller does not" : "Nobody hears you";
  return { tone: "hold", words, detail: `A colleague is told about the call in private. ${waits}` };
}

function unconnected({ link, seats, seat, shutOut }: Situation): Audience {
  switch (link) {
    case "connecting":
      return { tone: "private", words: "Connecting: nobody hears you yet", detail: "" };
    case "over":
      return { tone: "over", words: `${shutOut ? "You are not on this call" : "The call has ended"}: nobody hears you`, detail: "" };
    default: {
      const held = stanceOf(seats, seat) === "take_over";
      const after = held ? " The server gives the caller back to the AI; you return as a listener." : "";
      return { tone: "lost", words: "Connection lost: nobody hears you", detail: `Reconnecting …${after}` };
    }
  }
}

function unheard(now: Situation, stance: Stance, detail: string): Audience {
  const said = (words: string, tone: Audience["tone"] = "private") => ({ tone, words, detail });
  if (!talks(stance)) {
    const off = now.muted && now.microphone ? " Your microphone is muted." : "";
    if (stance !== "coach") return { tone: "private", words: "Nobody hears you", detail: `${detail}${off}` };
    return { tone: "private", words: "Nobody hears you", detail: `The AI reads what you instruct. ${detail}` };
  }
  if (!now.microphone) return said("No microphone: nobody hears you");
  if (now.muted) return { tone: "muted", words: "You are muted: nobody hears you", detail: `${unmuted(now, stance)}${detail}` };
  if (now.mode === "say") return said("The AI speaks for you; the caller does not hear you", "hold");
  return said("Nobody hears you");
}

/** Whom the mute key would let hear. */
function unmuted(now: Situation, stance: Stance): string {
  const ears = wouldReach(now.mode, stance);
  if (ears.length === 0) return "Unmuted, the caller would not hear you either. ";
  const others = now.seats.filter((one) => one.seat !== now.seat).map((one) => one.name);
  return `Unmuted, ${joined([...ears.map((ear) => NAMES[ear] ?? ear), ...others])} would hear you. `;
}

const NAMES: Partial<Record<Part, string>> = {
  caller: "the caller",
  agent: "the AI",
  operator: "colleagues who talk",
  supervisor: "the supervisor",
  coach: "your coach (only you do)",
  hold_audio: "hold audio",
};

const ORDER: readonly Part[] = ["caller", "agent", "operator", "supervisor", "coach", "hold_audio"];

function youHear(now: Situation, stance: Stance): string {
  const ear: Part = talks(stance) ? "operator" : "listener";
  const sources = now.hears[ear] ?? now.hears[now.leg as Part] ?? [];
  const others = now.seats.some((one) => one.seat !== now.seat && talks(one.stance));
  const names = sources.filter((source) => others || (source !== "operator" && source !== "supervisor"));
  const words = ORDER.filter((source) => names.includes(source)).map((source) => NAMES[source] ?? source);
  return words.length === 0 ? "You hear nobody." : `You hear ${joined(words)}.`;
}

function colleagues(now: Situation, ears: readonly Part[]): string {
  if (!ears.some((ear) => ear === "listener" || ear === "operator" || ear === "supervisor")) return "";
  const names = now.seats.filter((one) => one.seat !== now.seat).map((one) => one.name);
  if (names.length === 0) return "";
  return ` ${joined(names)} ${names.length === 1 ? "hears" : "hear"} you too.`;
}

/** "a", "a and b", "a, b and c". */
export function joined(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
