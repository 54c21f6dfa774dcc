// The words of the desk's sockets (docs/desk.md): messages of /ws/live and /ws/floor, read at the wall. No sockets.

export type Stance = "listen" | "coach" | "join" | "take_over";
/** "waiting": there is no such call yet; whoever comes first waits for its caller. */
export type Mode = "agent" | "join" | "takeover" | "say" | "hold" | "waiting";
export type Part = "caller" | "agent" | "operator" | "supervisor" | "listener" | "coach" | "hold_audio";
export type WarningLevel = "none" | "low" | "medium" | "high" | "critical";
export type CardStatus = "queued" | "playing" | "shown" | "used" | "dismissed" | "expired";
/** Ear → whose sound is in it, as the server routes it now. */
export type Hears = Partial<Record<Part, Part[]>>;

export interface SeatInfo {
  seat: string;
  leg: string;
  name: string;
  stance: Stance;
  muted?: boolean;
}

export interface Entry {
  kind: string;
  seq: number;
  media_ms: number;
  [field: string]: unknown;
}

export interface CoachSettings {
  provider?: string;
  voice?: string;
  speed?: number;
  volume?: number;
  auto_play?: boolean;
  mute?: boolean;
  duck_db?: number;
}

export interface Coaching {
  id: string;
  turn: number;
  intent: string;
  confidence: number;
  reasoning: string;
  strategy: string;
  warning: string;
  warning_level: WarningLevel;
  suggestions: string[];
  recommended_response: string;
  priority: number;
  expires_ms: number;
  status: CardStatus;
  supersedes?: string;
  language?: string;
  recommended_audio?: { audio_base64: string; format: string; duration: number } | null;
}

export interface EntityInfo {
  id: string;
  /** "phone", "iban" …: `entity_type` on the socket, whose own `type` is the message's. */
  kind: string;
  value: string;
  text: string;
  leg: string;
  turn: number;
  at_ms: number;
  pinned: boolean;
}

export interface Said {
  speaker: string;
  text: string;
  final: boolean;
  turn: number;
  started_ms: number | null;
  ended_ms: number | null;
  language: string;
  seat: string;
  interrupted: boolean;
  unheard: string;
}

export type Levels = Record<string, number>;

export interface Seating {
  mode: Mode;
  holder: string;
  hears: Hears;
  seats: SeatInfo[];
}

export interface Joined extends Seating {
  type: "joined";
  call_id: string;
  seat: string;
  leg: string;
  role: string;
  sample_rate: number;
  history: Entry[];
  coach: CoachSettings;
}

export type DeskDown =
  | Joined
  | ({ type: "mode" } & Seating)
  | ({ type: "transcript" } & Said)
  | ({ type: "ai_coaching" } & Coaching)
  | { type: "card"; id: string; status: CardStatus; seat: string }
  | ({ type: "entity" } & EntityInfo)
  | { type: "coach"; settings: CoachSettings }
  | { type: "level"; levels: Levels }
  | { type: "event"; entry: Entry }
  | { type: "clear" }
  | { type: "pong"; t: number }
  | { type: "error"; code: string; reason: string }
  | { type: "ended"; reason: string };

export type DeskUp =
  | { type: "stance"; stance: Stance }
  | { type: "hand_back" | "coach_now" | "end" | "leave" }
  | { type: "hold" | "ai_speaks" | "mute"; on: boolean }
  | { type: "say" | "instruct"; text: string }
  | { type: "inject"; clip: string }
  | ({ type: "coach" } & CoachSettings)
  | { type: "card"; id: string; action: "play" | "stop" | "used" | "dismissed" | "say" | "feedback"; value?: string }
  | { type: "pin"; id: string; pinned: boolean; added?: { type: string; value: string; at_ms: number } }
  | { type: "ping"; t: number };

export interface FloorCall {
  call_id: string;
  caller: string;
  called: string;
  direction: string;
  channel: string;
  agent: string;
  language: string;
  started_at: string;
  seconds: number;
  mode: Mode;
  floor: string;
  seats: SeatInfo[];
  levels: Levels;
  last_line: { leg: string; text: string } | null;
  intent: string;
  warning_level: WarningLevel;
  warning: string;
  last_response_ms: number | null;
  interruptions: number;
  silence_s: number;
  failures: number;
  returning: boolean;
  attention: number;
  why: string[];
}

export type Counters = Partial<
  Record<"live" | "waiting" | "operators" | "agents_answering" | "taken_over" | "on_hold", number>
>;

export interface FloorMessage {
  type: "floor";
  calls: FloorCall[];
  gone: string[];
  counters: Counters;
}

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
