// What the cockpit knows of its call, and how each message changes it. Pure: time is a parameter.

import type { CardStatus, CoachSettings, Coaching, DeskDown, EntityInfo, Entry, Seating, TransferInfo } from "./wire";
import { withCard, withStatus } from "./cards";
import type { Link } from "./hears";
import { type DeskLine, withSaid } from "./lines";
import { coaching, kindOf, said } from "./read";

const EVENTS_KEPT = 200;

export interface DeskState extends Seating {
  link: Link;
  callId: string;
  seat: string;
  leg: string;
  role: string;
  lines: DeskLine[];
  cards: Coaching[];
  entities: EntityInfo[];
  events: Entry[];
  coach: CoachSettings;
  transfer: TransferInfo;
  /** Media time `mediaMs` was at `at` of the page's clock. */
  clock: { mediaMs: number; at: number };
  notice: string;
  ending: string;
}

export const EMPTY: DeskState = {
  link: "connecting",
  callId: "",
  seat: "",
  leg: "operator",
  role: "operator",
  mode: "agent",
  holder: "",
  hears: {},
  seats: [],
  lines: [],
  cards: [],
  entities: [],
  events: [],
  coach: {},
  transfer: { able: false, reason: "" },
  clock: { mediaMs: 0, at: 0 },
  notice: "",
  ending: "",
};

/** Media time at `now`; it stands still while the call is over. */
export function mediaNow(state: DeskState, now: number): number {
  return state.clock.mediaMs + (state.clock.at === 0 ? 0 : now - state.clock.at);
}

export function received(state: DeskState, message: DeskDown, now: number): DeskState {
  switch (message.type) {
    case "joined": {
      const { mode, holder, hears, seats, seat, leg, role, coach } = message;
      const transfer = message.transfer ?? EMPTY.transfer;
      const fresh = { ...state, link: "up" as const, callId: message.call_id, transfer };
      const seated = { ...fresh, mode, holder, hears, seats, seat, leg, role, coach, lines: [], cards: [], entities: [], events: [] };
      return message.history.reduce((so, entry) => withEntry(so, entry, now), seated as DeskState);
    }
    case "mode": {
      const { mode, holder, hears, seats } = message;
      return { ...state, mode, holder, hears, seats };
    }
    case "transcript": {
      const ticked = message.ended_ms === null ? state : tick(state, message.ended_ms, now);
      return { ...ticked, lines: withSaid(state.lines, message, mediaNow(ticked, now)) };
    }
    case "ai_coaching":
      return { ...state, cards: withCard(state.cards, message) };
    case "card":
      return mine(state, message.seat) ? { ...state, cards: withStatus(state.cards, message.id, message.status) } : state;
    case "entity":
      return { ...state, entities: withEntity(state.entities, message) };
    case "coach":
      return { ...state, coach: { ...state.coach, ...message.settings } };
    case "event":
      return withEntry(state, message.entry, now);
    case "error":
      return { ...state, notice: message.reason };
    case "ended":
      return { ...state, link: "over", ending: message.reason, clock: { mediaMs: mediaNow(state, now), at: 0 } };
    default:
      return state;
  }
}

/** An entry of the timeline, as the history brings them all and `event` the rest. */
export function withEntry(state: DeskState, entry: Entry, now: number): DeskState {
  const ticked = tick(state, entry.media_ms, now);
  const next = { ...ticked, events: [...state.events, entry].slice(-EVENTS_KEPT) };
  switch (entry.kind) {
    case "transcript_final":
    case "transcript_partial": {
      const final = entry.kind === "transcript_final";
      const words = said({ ...entry, speaker: String(entry.leg), seat: String(entry.speaker ?? ""), final });
      return { ...next, lines: withSaid(state.lines, words, mediaNow(next, now)) };
    }
    case "coaching_card":
      return { ...next, cards: withCard(state.cards, coaching(entry as Partial<Coaching>)) };
    case "card":
      if (!mine(state, String(entry.seat))) return next;
      return { ...next, cards: withStatus(state.cards, String(entry.id), entry.status as CardStatus) };
    case "entity":
      return { ...next, entities: withEntity(state.entities, found(entry)) };
    case "entity_pinned":
      return { ...next, entities: withPin(state.entities, entry) };
    default:
      return next;
  }
}

function found(entry: Entry): EntityInfo {
  return { ...(entry as unknown as EntityInfo), kind: kindOf(entry), pinned: entry.pinned === true };
}

function mine(state: DeskState, seat: string): boolean {
  return seat === "" || seat === state.seat;
}

/** Media time never runs backwards; a later stamp corrects the estimate. */
function tick(state: DeskState, mediaMs: number, now: number): DeskState {
  return mediaMs >= mediaNow(state, now) ? { ...state, clock: { mediaMs, at: now } } : state;
}

function withEntity(entities: readonly EntityInfo[], found: EntityInfo): EntityInfo[] {
  const known = entities.find(({ id }) => id === found.id);
  if (known === undefined) return [...entities, found];
  return entities.map((one) => (one === known ? { ...found, pinned: found.pinned || known.pinned } : one));
}

function withPin(entities: readonly EntityInfo[], entry: Entry): EntityInfo[] {
  const id = String(entry.id);
  const pinned = entry.pinned === true;
  if (entities.some((one) => one.id === id)) return entities.map((one) => (one.id === id ? { ...one, pinned } : one));
  const { value, at_ms = entry.media_ms, ...added } = (entry.added ?? {}) as { value?: string; at_ms?: number };
  if (!value) return [...entities];
  return [...entities, { id, kind: kindOf(added), value, text: value, leg: "", turn: 0, at_ms, pinned }];
}
