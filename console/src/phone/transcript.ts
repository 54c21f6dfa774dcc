// The live transcript as a list of lines, built from the server's messages. Pure.

import type { Speaker, TranscriptMessage } from "./wire";

export interface Line {
  key: string;
  /** Lines stand by turn, the caller's words before the reply to them. */
  order: number;
  speaker: Speaker;
  text: string;
  final: boolean;
  interrupted: boolean;
  unheard: string;
}

/** The lines after one more message. A reply may begin before the words that it answers are final. */
export function withMessage(lines: readonly Line[], message: TranscriptMessage): Line[] {
  const key = `${message.speaker}-${message.turn}`;
  const known = lines.find((line) => line.key === key);
  if (known?.final && !message.final) return [...lines];
  const line: Line = {
    key,
    order: message.turn * 2 + (message.speaker === "agent" ? 1 : 0),
    speaker: message.speaker,
    text: message.final ? message.text : partial(known, message),
    final: message.final,
    interrupted: message.interrupted ?? false,
    unheard: message.unheard ?? "",
  };
  const others = lines.filter((other) => other.key !== key);
  if (line.final && line.text === "" && line.unheard === "") return others;
  const after = others.findIndex((other) => other.order > line.order);
  return after < 0 ? [...others, line] : others.toSpliced(after, 0, line);
}

/** A caller's partial replaces the one before; the agent's are clauses that follow one another. */
function partial(known: Line | undefined, message: TranscriptMessage): string {
  if (message.speaker === "caller" || known === undefined || known.text === "") return message.text;
  const gap = /\s$/.test(known.text) || /^\s/.test(message.text) ? "" : " ";
  return known.text + gap + message.text;
}
