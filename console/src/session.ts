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
  /** Whether there are users at all; without any, this machine is the admin. */
  users: boolean;
}

export const session = signal<SessionInfo | null>(null);
const RANK: Record<Role, number> = { operator: 0, supervisor: 1, admin: 2 };

export function atLeast(role: Role): boolean {
  const own = session.value?.person?.role;
  return own !== undefined && RANK[own] >= RANK[role];
}

export async function loadSession(): Promise<SessionInfo> {
  const found = readSession(await apiGet<unknown>("/api/session").catch(refused));
  session.value = found;
  return found;
}

function refused(error: unknown): unknown {
  if (error instanceof ApiError && error.status === 401) return { person: null, users: true };
  return { person: null, users: false };
}

/** The answer of /api/session, whatever it leaves out. */
export function readSession(answer: unknown): SessionInfo {
  const body = (answer ?? {}) as { person?: Partial<Person> | null; users?: unknown };
  const { person } = body;
  const known = person?.id !== undefined && person.role !== undefined && person.role in RANK;
  return {
    person: known ? { id: String(person.id), name: person.name ?? String(person.id), role: person.role as Role } : null,
    users: body.users === true,
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
  return /^\/(?![/\\])/.test(wanted) ? wanted : "/";
}
