// Plain words and numbers for people: times, states, reasons. Pure.

const END_WORDS: Record<string, string> = {
  caller_hung_up: "The caller hung up.",
  agent_hung_up: "The agent hung up.",
  peer_lost: "The connection was lost.",
  no_input: "Nobody was speaking, so the call was ended.",
  max_length: "The call reached its longest allowed time.",
  transferred: "The call was transferred.",
  refused: "The call was refused.",
  protocol_error: "The call ended because of a technical error.",
  server_stopped: "The server was stopped.",
  crashed: "The server failed during the call.",
  failed: "The call failed.",
};

const EVENT_WORDS: Record<string, string> = {
  call_started: "Call started",
  call_ended: "Call ended",
  speech_started: "Speech started",
  speech_ended: "Speech ended",
  transcript_final: "Said",
  turn_timed: "Response timed",
  interrupted: "Caller interrupted the agent",
  interruption_resumed: "Not an interruption; the agent went on",
  no_input: "Caller silent",
  dtmf: "Key pressed",
  text_received: "Text typed",
  tool_called: "Tool called",
  leg_joined: "Joined the call",
  leg_left: "Left the call",
  stance: "Takes part otherwise",
  mode: "Call conducted otherwise",
  instructed: "AI instructed",
  said_for: "AI's voice said",
  transferred: "Transferred",
  coaching_card: "Coach advised",
  card: "Advice",
  risk: "Warning level",
  card_feedback: "Advice rated",
  entity: "Noticed",
  entity_mentioned: "Mentioned again",
  entity_pinned: "Evidence pinned",
  wrapped_up: "Wrapped up",
  sentiment: "Caller's sentiment",
  alert: "Alert",
  route: "Routed",
  handed_over: "Handed over",
  queued: "Waits for an operator",
  queue_rang: "Rang an operator",
  queue_missed: "Operator did not answer",
  unqueued: "Waits no more",
  call_back_asked: "Wants to be called back",
  consult: "Warm transfer",
  consult_briefing: "Colleague briefed",
  consult_said: "In private",
  room_tape: "LiveKit's own recording",
  provider_failed: "Provider failed",
  notice: "Notice",
};

const END_LABELS: Record<string, string> = {
  peer_lost: "Connection lost",
  no_input: "Nobody spoke",
  max_length: "Longest time reached",
  crashed: "Server failed",
};

export function endWord(reason: string): string {
  return END_WORDS[reason] ?? sentenceCase(reason);
}

/** The short form for tables: "Caller hung up". */
export function endLabel(reason: string | null): string {
  return reason === null ? "" : (END_LABELS[reason] ?? sentenceCase(reason));
}

export function eventWord(kind: string): string {
  return EVENT_WORDS[kind] ?? sentenceCase(kind);
}

export function sentenceCase(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Milliseconds as 0:07 or 1:02:33; with `tenths`, as 0:07.4. */
export function clock(ms: number, tenths = false): string {
  const total = Math.max(0, tenths ? Math.floor(ms / 100) / 10 : Math.floor(ms / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = tenths ? (total % 60).toFixed(1).padStart(4, "0") : String(total % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** A latency as people read it: 390 ms, 1.24 s; a dash when there is none. */
export function latency(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** Two latencies of one kind, "365 / 377 ms", the unit once where it is the same. */
export function latencies(low: number | null, high: number | null): string {
  if (low === null) return "–";
  const [first, second] = [latency(low), latency(high)];
  const [number, unit] = first.split(" ");
  return `${second.endsWith(` ${unit}`) ? number : first} / ${second}`;
}

const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A moment for a list: today's by the time alone, others with the day. */
export function moment(iso: string, now: Date = new Date()): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "–";
  if (at.toDateString() === now.toDateString()) return TIME.format(at);
  const day = at.getFullYear() === now.getFullYear() ? DAY : DAY_AND_YEAR;
  return `${day.format(at)}, ${TIME.format(at)}`;
}

/** "Called 3 times before, last on 2 Mar, 14:05"; `count` of 1,000 means that many or more. */
export function calledBefore(count: number, lastAt: string, now: Date = new Date()): string {
  const times = count === 1 ? "once" : count === 2 ? "twice" : `${count >= 1000 ? "over 1,000" : count} times`;
  const at = moment(lastAt, now);
  const today = new Date(lastAt).toDateString() === now.toDateString();
  return `Called ${times} before, last ${today ? "today at" : "on"} ${at}`;
}

/** "ElevenLabs voice": whose, and what it does. */
export function providerWord(one: { kind: string; provider: string }): string {
  const kinds: Record<string, string> = { stt: "recognizer", llm: "model", tts: "voice" };
  const names: Record<string, string> = { openai: "OpenAI", elevenlabs: "ElevenLabs" };
  return `${names[one.provider] ?? sentenceCase(one.provider)} ${kinds[one.kind] ?? one.kind}`;
}

/** A provider's state, and what is done about it. */
export function providerState(state: string): string {
  const words: Record<string, string> = {
    up: "well",
    failing: "failing",
    down: "down, left aside",
    refused: "refuses the key",
    trying: "being tried again",
  };
  return words[state] ?? state;
}

/** A language by its name in English, or its code where there is none. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}
