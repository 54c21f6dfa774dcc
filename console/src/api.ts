// The HTTP API as this console reads it: the JSON of storage/base.py's dataclasses. Fetches only.

export interface CallRecord {
  id: string;
  direction: string;
  channel: string;
  agent: string;
  caller: string;
  called: string;
  started_at: string;
  state: "live" | "ended" | "recovered";
  ended_at: string | null;
  end_reason: string | null;
  duration_ms: number;
  vendor_id: string;
  recording: "none" | "taping" | "sealed" | "failed" | "deleted";
  turns: number;
  response_p50_ms: number | null;
  response_p95_ms: number | null;
}

export interface Waterfall {
  endpoint_ms: number;
  transcript_ms: number;
  first_token_ms: number;
  first_audio_ms: number;
}

export interface TurnRecord {
  call_id: string;
  turn: number;
  leg: string;
  text: string;
  started_ms: number;
  ended_ms: number;
  language: string;
  interrupted: boolean;
  unheard: string;
  waterfall: Waterfall | null;
  gap_ms: number | null;
}

export interface TimelineEvent {
  kind: string;
  seq: number;
  media_ms: number;
  [field: string]: unknown;
}

export interface CallDetail {
  call: CallRecord;
  turns: TurnRecord[];
  events: TimelineEvent[];
}

export interface Peaks {
  duration_ms: number;
  bucket_ms: number;
  caller: number[];
  agent: number[];
}

export interface AgentInfo {
  name: string;
  greeting: string;
  language: string;
}

export interface ProviderState {
  kind: "stt" | "llm" | "tts";
  provider: string;
  state: "up" | "failing" | "down" | "refused" | "trying";
  failures: number;
  rescues: number;
  reason: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const DEADLINE_MS = 10_000;

async function get<T>(path: string, credentials: RequestCredentials = "same-origin"): Promise<T> {
  let response: Response;
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    response = await fetch(path, { signal, credentials, headers: { accept: "application/json" } });
  } catch {
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (response.status === 404) throw new ApiError(404, "There is no such thing here.");
  if (!response.ok) throw new ApiError(response.status, `The server answered with an error (${response.status}).`);
  return (await response.json()) as T;
}

export function callUrl(id: string, rest = ""): string {
  return `/api/calls/${encodeURIComponent(id)}${rest}`;
}

export function fetchCalls(options: {
  limit: number;
  before?: string;
  channel?: string;
}): Promise<{ calls: CallRecord[]; next: string | null }> {
  const query = new URLSearchParams({ limit: String(options.limit) });
  if (options.before) query.set("before", options.before);
  if (options.channel) query.set("channel", options.channel);
  return get(`/api/calls?${query}`);
}

export function fetchCall(id: string): Promise<CallDetail> {
  return get(callUrl(id));
}

export function fetchPeaks(id: string): Promise<Peaks> {
  return get(callUrl(id, "/peaks"));
}

export async function fetchProviders(): Promise<ProviderState[]> {
  return (await get<{ providers: ProviderState[] }>("/api/providers")).providers;
}

/** The agents that a caller may choose from; none when the server does not say. Never asks for a password. */
export async function fetchAgents(): Promise<AgentInfo[]> {
  const agents = await get<AgentInfo[] | { agents: AgentInfo[] }>("/api/agents", "omit").catch(() => []);
  return Array.isArray(agents) ? agents : agents.agents;
}
