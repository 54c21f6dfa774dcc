// Who is at this console, and what a role may see of it. The server decides; this only spares dead ends.

import { signal } from "@preact/signals";
import { ApiError, apiGet, apiSend } from "./api";

export type Role = "operator" | "supervisor" | "admin";

export interface Person {
  id: string;
  name: string;
  role: Role;
}

export interface SessionInfo {
  person: Person | null;
  /** Whether there are users who log in; without any, this machine is the admin. */
  login: boolean;
  /** What the person may do at all, and on which calls: the server's own table. */
  may: Record<string, string>;
  reason: string;
}

export const session = signal<SessionInfo | null>(null);
const ROLES: readonly string[] = ["operator", "supervisor", "admin"];

export function may(action: string): boolean {
  return session.value?.may[action] !== undefined;
}

export async function loadSession(): Promise<SessionInfo> {
  const found = readSession(await apiGet<unknown>("/api/session").catch(refused));
  session.value = found;
  return found;
}

function refused(error: unknown): unknown {
  return { person: null, login: error instanceof ApiError && error.status === 401, reason: (error as Error).message };
}

/** The answer of /api/session, whatever it leaves out. */
export function readSession(answer: unknown): SessionInfo {
  const body = (answer ?? {}) as { person?: Partial<Person> | null; login?: unknown; may?: unknown; reason?: unknown };
  const { id, name, role } = body.person ?? {};
  const known = id !== undefined && role !== undefined && ROLES.includes(role);
  return {
    person: known ? { id, name: name ?? id, role } : null,
    login: body.login === true,
    may: (body.may ?? {}) as Record<string, string>,
    reason: typeof body.reason === "string" ? body.reason : "",
  };
}

export async function logIn(name: string, password: string): Promise<void> {
  await apiSend("POST", "/api/session", { name, password });
  await loadSession();
}

export async function logOut(): Promise<void> {
  await apiSend("DELETE", "/api/session");
  location.assign("/login");
}

/** Where to go after logging in: a path of this console alone. */
export function destination(search: string): string {
  const wanted = new URLSearchParams(search).get("next") ?? "/";
  // Browsers drop tabs and line ends from an address, so a pattern alone is no judge of it.
  const plain = wanted.replace(/[\t\n\r]/g, "");
  return /^\/(?![/\\])/.test(plain) ? plain : "/";
}
