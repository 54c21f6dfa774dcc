// The transcript of a call with several people, line by line, from the server's messages. Pure.

import type { Said } from "./wire";

export interface DeskLine {
  key: string;
  speaker: string;
  seat: string;
  text: string;
  final: boolean;
  /** Media time at which it began; while that is unknown, when its first words came. */
  atMs: number;
  language: string;
  interrupted: boolean;
  unheard: string;
  turn: number;
}

/** The lines after one more message that came at `nowMs` of media time. Lines stand in the order of speech. */
export function withSaid(lines: readonly DeskLine[], said: Said, nowMs: number): DeskLine[] {
  const key = `${said.speaker}-${said.seat}-${said.turn}`;
  const known = lines.find((line) => line.key === key);
  if (known?.final && !said.final) return [...lines];
  const others = lines.filter((line) => line.key !== key);
  if (said.final && said.text === "" && said.unheard === "") return others;
  const line: DeskLine = {
    key,
    speaker: said.speaker,
    seat: said.seat,
    text: said.final ? said.text : partial(known, said),
    final: said.final,
    atMs: said.started_ms ?? known?.atMs ?? nowMs,
    language: said.language || (known?.language ?? ""),
    interrupted: said.interrupted,
    unheard: said.unheard,
    turn: said.turn,
  };
  const after = others.findIndex((other) => other.atMs > line.atMs);
  return after < 0 ? [...others, line] : others.toSpliced(after, 0, line);
}

/** A human's partial replaces the one before; the agent's are clauses that follow one another. */
function partial(known: DeskLine | undefined, said: Said): string {
  if (said.speaker !== "agent" || known === undefined || known.text === "") return said.text;
  if (said.text.startsWith(known.text)) return said.text;
  const gap = /\s$/.test(known.text) || /^\s/.test(said.text) ? "" : " ";
  return known.text + gap + said.text;
}

/** A piece of a line, and the entity that it is, if any. */
export interface Piece {
  text: string;
  entity: string | null;
}

/** The text of a line cut at the entities found in it. */
export function pinned(text: string, found: readonly { id: string; text: string }[]): Piece[] {
  let pieces: Piece[] = [{ text, entity: null }];
  for (const { id, text: words } of found) {
    if (words === "") continue;
    pieces = pieces.flatMap((piece) => {
      const at = piece.entity === null ? piece.text.indexOf(words) : -1;
      if (at < 0) return [piece];
      const around = [
        { text: piece.text.slice(0, at), entity: null },
        { text: words, entity: id },
        { text: piece.text.slice(at + words.length), entity: null },
      ];
      return around.filter((one) => one.text !== "");
    });
  }
  return pieces;
}
