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

/** The calls after one more message, which came at `now`; the first on a connection holds all there are. */
export function merged(calls: ReadonlyMap<string, FloorCall>, message: FloorMessage, first: boolean, now: number) {
  const next = new Map(first ? [] : calls);
  for (const call of message.calls ?? []) next.set(call.call_id, { ...next.get(call.call_id), ...call, heard_at: now });
  for (const gone of message.gone ?? []) next.delete(gone);
  return next;
}

/** How long a call is at `now`, in seconds: the server tells of a call only when something of it changes. */
export function lasted(call: FloorCall, now: number): number {
  return call.seconds + Math.max(0, now - (call.heard_at ?? now)) / 1000;
}

/** The call that keys and buttons mean: the one chosen for as long as it lasts, whatever the order becomes. */
export function chosenOf(calls: readonly FloorCall[], focused: string): FloorCall | null {
  return calls.find((call) => call.call_id === focused) ?? calls[0] ?? null;
}

/** How needy in one word, with the class that colours it; never told by colour alone. */
export function urgency(attention: number): { tone: "calm" | "watch" | "act"; word: string } {
  if (attention >= 70) return { tone: "act", word: "Act now" };
  return attention >= 35 ? { tone: "watch", word: "Watch" } : { tone: "calm", word: "Calm" };
}
