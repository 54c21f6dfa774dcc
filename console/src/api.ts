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

/** `calls` are the latest of them that may be seen here. */
export interface EarlierCalls {
  count: number;
  last_at: string | null;
  calls: CallRecord[];
}

export interface CallDetail {
  call: CallRecord;
  turns: TurnRecord[];
  events: TimelineEvent[];
  earlier: EarlierCalls;
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

/** The server's own words for a refusal, where it gives them. */
async function reason(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { error?: { message?: string; reason?: string } | string; reason?: string };
    const error = typeof body.error === "string" ? body.error : (body.error?.message ?? body.error?.reason);
    return error ?? body.reason ?? "";
  } catch {
    return "";
  }
}

async function ask(path: string, init: RequestInit = {}, deadline = DEADLINE_MS): Promise<Response> {
  let response: Response;
  try {
    const signal = AbortSignal.timeout(deadline);
    response = await fetch(path, { credentials: "same-origin", signal, ...init });
  } catch {
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (response.ok) return response;
  const said = await reason(response);
  if (response.status === 404) throw new ApiError(404, said || "There is no such thing here.");
  throw new ApiError(response.status, said || `The server answered with an error (${response.status}).`);
}

export async function apiGet<T>(path: string, credentials: RequestCredentials = "same-origin"): Promise<T> {
  const response = await ask(path, { credentials, headers: { accept: "application/json" } });
  return (await response.json()) as T;
}

/** Send JSON; the answer's JSON, or null where it has none. */
export async function apiSend<T>(method: string, path: string, body?: unknown): Promise<T | null> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await ask(path, { method, headers: { "content-type": "application/json" }, ...json });
  return response.status === 204 ? null : ((await response.json().catch(() => null)) as T | null);
}

/** Send anything, get the response itself: sound, forms. `deadline` in ms. */
export function apiRaw(path: string, init: RequestInit, deadline: number): Promise<Response> {
  return ask(path, init, deadline);
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
  return apiGet(`/api/calls?${query}`);
}

export function fetchCall(id: string): Promise<CallDetail> {
  return apiGet(callUrl(id));
}

export function fetchPeaks(id: string): Promise<Peaks> {
  return apiGet(callUrl(id, "/peaks"));
}

export async function fetchProviders(): Promise<ProviderState[]> {
  return (await apiGet<{ providers: ProviderState[] }>("/api/providers")).providers;
}

/** The agents that a caller may choose from; none when the server does not say. Never asks for a password. */
export async function fetchAgents(): Promise<AgentInfo[]> {
  const agents = await apiGet<AgentInfo[] | { agents: AgentInfo[] }>("/api/agents", "omit").catch(() => []);
  return Array.isArray(agents) ? agents : agents.agents;
}
