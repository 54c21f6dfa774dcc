// The order of the floor's cards: who needs somebody first. Pure.

import type { FloorCall, FloorMessage } from "../desk/wire";

const STEP = 10;

/** Most needy first, by steps of ten so that cards do not dance; then the longest call; ids settle the rest. */
export function ordered(calls: Iterable<FloorCall>): FloorCall[] {
  return [...calls].sort(
    (a, b) =>
      Math.floor(b.attention / STEP) - Math.floor(a.attention / STEP) ||
      Date.parse(a.started_at) - Date.parse(b.started_at) ||
      (a.call_id < b.call_id ? -1 : 1),
  );
}

/** The calls after one more message; the first on a connection holds all there are. */
export function merged(calls: ReadonlyMap<string, FloorCall>, message: FloorMessage, first: boolean) {
  const next = new Map(first ? [] : calls);
  for (const call of message.calls ?? []) next.set(call.call_id, { ...next.get(call.call_id), ...call });
  for (const gone of message.gone ?? []) next.delete(gone);
  return next;
}

/** How needy in one word, with the class that colours it; never told by colour alone. */
export function urgency(attention: number): { tone: "calm" | "watch" | "act"; word: string } {
  if (attention >= 70) return { tone: "act", word: "Act now" };
  return attention >= 35 ? { tone: "watch", word: "Watch" } : { tone: "calm", word: "Calm" };
}
