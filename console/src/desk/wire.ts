// The words of the desk's sockets (docs/desk.md): messages of /ws/live and /ws/floor, as types alone.

export type Stance = "listen" | "coach" | "join" | "take_over" | "consult";
/** "waiting": there is no such call yet; whoever comes first waits for its caller. */
export type Mode = "agent" | "join" | "takeover" | "say" | "consult" | "hold" | "waiting";
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
  transfer?: TransferInfo;
}

/** Whether the caller can be put through to a number, and why not. */
export interface TransferInfo {
  able: boolean;
  reason: string;
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
  | { type: "transfer"; to: string }
  | { type: "warm"; to: string; reason?: string; coach?: boolean; auto?: boolean }
  | { type: "warm_act"; step: "connect" | "decline" | "again" | "cancel"; coach?: boolean }
  | ({ type: "coach" } & CoachSettings)
  | { type: "card"; id: string; action: "play" | "stop" | "used" | "dismissed" | "say" | "feedback"; value?: string }
  | { type: "pin"; id: string; pinned: boolean; added?: { type: string; value: string; at_ms: number } }
  | { type: "ping"; t: number };

/** −1 … 1; `trend` per turn; `scores` are the call's after each of its last turns. */
export interface Sentiment {
  score: number;
  trend: number;
  emotion: string;
  scores: number[];
}

export interface FloorAlert {
  id: string;
  rule: string;
  level: WarningLevel;
  text: string;
  page: boolean;
}

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
  sentiment?: Sentiment | null;
  alerts?: FloorAlert[];
  last_response_ms: number | null;
  interruptions: number;
  silence_s: number;
  failures: number;
  returning: boolean;
  /** Earlier calls of this number; `calls` are those of them that may be seen here. */
  earlier?: { count: number; last_at: string; calls: { call_id: string; at: string; agent: string }[] } | null;
  attention: number;
  why: string[];
  /** When this card came, by the page's own clock. */
  heard_at?: number;
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
