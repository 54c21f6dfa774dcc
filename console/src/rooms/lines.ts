// What is said in a room, as lines built from text streams of `lk.transcription` and `lk.chat`. Pure.

export interface RoomLine {
  key: string;
  /** Whose words these are, by identity. */
  who: string;
  name: string;
  text: string;
  final: boolean;
  typed: boolean;
}

const MOST = 500;

/** The lines after one more: a line of a known key takes the place of what was there, unless that is final. */
export function withLine(lines: readonly RoomLine[], line: RoomLine): RoomLine[] {
  const at = lines.findIndex((other) => other.key === line.key);
  if (at < 0) return [...lines, line].slice(-MOST);
  if (lines[at]?.final && !line.final) return [...lines];
  return lines.with(at, line);
}
