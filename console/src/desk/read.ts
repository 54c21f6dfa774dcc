// Messages of the desk's sockets read at the wall: every field that the console relies on is there, or null. Pure.

import type { Coaching, DeskDown, Said, Seating } from "./wire";

/** A text frame as an object with a `type`, or null: garbage loses nothing but itself. */
export function readTyped<T extends { type: string }>(text: string): T | null {
  try {
    const value: unknown = JSON.parse(text);
    const typed = typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
    return typed ? (value as T) : null;
  } catch {
    return null;
  }
}

/** The message with every field that the console relies on there, or null when it is none of ours. */
export function readDesk(text: string): DeskDown | null {
  const message = readTyped<DeskDown>(text);
  switch (message?.type) {
    case "joined":
      return { ...message, ...seating(message), history: list(message.history), coach: message.coach ?? {} };
    case "mode":
      return { ...message, ...seating(message) };
    case "ai_coaching":
      return typeof message.id === "string" ? { ...message, ...coaching(message) } : null;
    case "transcript":
      return { ...message, ...said(message) };
    case "event":
      return typeof message.entry?.kind === "string" ? message : null;
    case "entity":
      return typeof message.id === "string" ? { ...message, kind: kindOf(message), pinned: message.pinned === true } : null;
    default:
      return message;
  }
}

/** What an entity is: in a message `entity_type`, on the timeline `type`. */
export function kindOf(fields: object): string {
  const { entity_type: named, type } = fields as { entity_type?: unknown; type?: unknown };
  return text(named) || (type === "entity" ? "" : text(type)) || "other";
}

function seating(message: Partial<Seating>): Seating {
  return {
    mode: message.mode ?? "agent",
    holder: message.holder ?? "",
    hears: message.hears ?? {},
    seats: list(message.seats),
  };
}

/** A card from a message, or from the timeline's own words for one. */
export function coaching(fields: Partial<Coaching>): Coaching {
  return {
    id: String(fields.id),
    turn: number(fields.turn, 0),
    intent: text(fields.intent),
    confidence: Math.min(1, Math.max(0, number(fields.confidence, 0))),
    reasoning: text(fields.reasoning),
    strategy: text(fields.strategy),
    warning: text(fields.warning),
    warning_level: fields.warning_level ?? "none",
    suggestions: list(fields.suggestions).map(text).filter(Boolean),
    recommended_response: text(fields.recommended_response),
    priority: number(fields.priority, 0),
    expires_ms: number(fields.expires_ms, 0),
    status: fields.status ?? "shown",
    supersedes: text(fields.supersedes),
    language: text(fields.language),
    recommended_audio: fields.recommended_audio ?? null,
  };
}

/** One message of speech; times are null while nobody knows them. */
export function said(fields: Partial<Said>): Said {
  return {
    speaker: text(fields.speaker) || "caller",
    text: text(fields.text),
    final: fields.final === true,
    turn: number(fields.turn, 0),
    started_ms: typeof fields.started_ms === "number" ? fields.started_ms : null,
    ended_ms: typeof fields.ended_ms === "number" ? fields.ended_ms : null,
    language: text(fields.language),
    seat: text(fields.seat),
    interrupted: fields.interrupted === true,
    unheard: text(fields.unheard),
  };
}

function list<T>(value: T[] | undefined | null): T[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}
