// The live transcript as a list of lines, built from the server's messages. Pure.

import type { Speaker, TranscriptMessage } from "./wire";

export interface Line {
  key: string;
  speaker: Speaker;
  text: string;
  final: boolean;
  interrupted: boolean;
  unheard: string;
}

/** The lines after one more message; a line keeps its place from its first partial on. */
export function withMessage(lines: readonly Line[], message: TranscriptMessage): Line[] {
  const key = `${message.speaker}-${message.turn}`;
  const at = lines.findIndex((line) => line.key === key);
  const known = at < 0 ? undefined : lines[at];
  if (known?.final && !message.final) return [...lines];
  const line: Line = {
    key,
    speaker: message.speaker,
    text: message.final ? message.text : partial(known, message),
    final: message.final,
    interrupted: message.interrupted ?? false,
    unheard: message.unheard ?? "",
  };
  const kept = line.final && line.text === "" && line.unheard === "" ? [] : [line];
  return at < 0 ? [...lines, ...kept] : [...lines.slice(0, at), ...kept, ...lines.slice(at + 1)];
}

/** A caller's partial replaces the one before; the agent's are clauses that follow one another. */
function partial(known: Line | undefined, message: TranscriptMessage): string {
  if (message.speaker === "caller" || known === undefined || known.text === "") return message.text;
  const gap = /\s$/.test(known.text) || /^\s/.test(message.text) ? "" : " ";
  return known.text + gap + message.text;
}
