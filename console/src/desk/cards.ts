// Coaching cards as the operator has them: which is shown, which wait, how long each is of use. Pure.

import type { CardStatus, Coaching } from "./wire";

const DONE: readonly CardStatus[] = ["used", "dismissed", "expired"];
const KEPT = 30;
export const WARNINGS = ["none", "low", "medium", "high", "critical"] as const;

/** The cards after one more message: newest last; the same id again brings its voice; one superseded is over. */
export function withCard(cards: readonly Coaching[], card: Coaching): Coaching[] {
  const known = cards.find((one) => one.id === card.id);
  if (known !== undefined) return cards.map((one) => (one.id === card.id ? { ...card, status: later(one, card) } : one));
  const others = cards.map((one) =>
    one.id === card.supersedes && isOpen(one) ? { ...one, status: "expired" as const } : one,
  );
  return [...others, card].slice(-KEPT);
}

/** The audio of a card comes later than its text; it does not wake a card that is done with. */
function later(known: Coaching, again: Coaching): CardStatus {
  return DONE.includes(known.status) ? known.status : again.status;
}

export function withStatus(cards: readonly Coaching[], id: string, status: CardStatus): Coaching[] {
  return cards.map((one) => (one.id === id ? { ...one, status } : one));
}

export function isOpen(card: Coaching): boolean {
  return !DONE.includes(card.status);
}

/** Milliseconds for which a card is still of use at `mediaMs`; Infinity for one without an end. */
export function remaining(card: Coaching, mediaMs: number): number {
  return card.expires_ms <= 0 ? Number.POSITIVE_INFINITY : Math.max(0, card.expires_ms - mediaMs);
}

/** What is of use now, the most pressing first: sounding, then priority, then newest. */
export function open(cards: readonly Coaching[], mediaMs: number): Coaching[] {
  const sounding = (card: Coaching) => (card.status === "playing" ? 1 : 0);
  return cards
    .map((card, at) => ({ card, at }))
    .filter(({ card }) => isOpen(card) && remaining(card, mediaMs) > 0)
    .sort((a, b) => sounding(b.card) - sounding(a.card) || b.card.priority - a.card.priority || b.at - a.at)
    .map(({ card }) => card);
}

/** What is shown and what waits: first the most pressing, unless somebody writes in another card, until it is done with. */
export function shown(cards: readonly Coaching[], mediaMs: number, written: string): { card: Coaching | undefined; waiting: Coaching[] } {
  const useful = open(cards, mediaMs);
  const kept = cards.find(({ id, status }) => id === written && status !== "used" && status !== "dismissed");
  const card = kept ?? useful[0];
  return { card, waiting: useful.filter((one) => one.id !== card?.id) };
}

const MINUTE_MS = 60_000;

/** "12 s" or "3 min", rounded up so that 0 means over; nothing for what does not expire. */
export function countdown(ms: number): string {
  if (!Number.isFinite(ms)) return "";
  return ms > 2 * MINUTE_MS ? `${Math.ceil(ms / MINUTE_MS)} min` : `${Math.ceil(ms / 1000)} s`;
}
