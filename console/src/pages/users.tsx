// The people who may log in: add one, change a role, let one in no more. Admins only; the server sees to it.

import { useEffect, useState } from "preact/hooks";
import { apiGet, apiSend } from "../api";
import { Ask } from "../parts/ask";
import { type Role, session } from "../session";
import { moment, sentenceCase } from "../words";

export interface User {
  id: string;
  name: string;
  /** What others see. */
  shown: string;
  role: Role;
  agents: string[];
  disabled: boolean;
  created_at: string;
  last_login_at: string | null;
}

const ROLES: Role[] = ["operator", "supervisor", "admin"];

export function UsersPage() {
  const [users, setUsers] = useState<User[] | null>(null);
  const [problem, setProblem] = useState("");
  const [leaving, setLeaving] = useState<User | null>(null);
  const load = () =>
    apiGet<{ users: User[] }>("/api/users")
      .then((answer) => setUsers(answer.users))
      .catch((error: Error) => setProblem(error.message));
  useEffect(() => void load(), []);
  const change = (method: string, path: string, body?: unknown) => {
    setProblem("");
    return apiSend(method, path, body)
      .then(() => (session.value?.login ? load() : location.assign("/login?next=%2Fusers")))
      .then(() => true)
      .catch((error: Error) => {
        setProblem(error.message);
        return false;
      });
  };
  return (
    <>
      <div class="page-head">
        <h1>Users</h1>
      </div>
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      <NewUser add={(user) => change("POST", "/api/users", user)} />
      {users !== null && users.length === 0 && (
        <p class="card quiet">
          Nobody yet: the console answers on this machine alone. Add an admin, and everybody has to log in.
        </p>
      )}
      {users !== null && users.length > 0 && (
        <div class="table-frame">
          <table class="calls plain-rows">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Role</th>
                <th scope="col">Calls of</th>
                <th scope="col">Last login</th>
                <th scope="col">
                  <span class="for-screen-readers">Change</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {users.map((user) => (
                <tr key={user.id}>
                  <td data-label="Name">
                    <bdi>{user.name}</bdi>{" "}
                    {user.shown !== "" && user.shown !== user.name && <bdi class="quiet">{user.shown}</bdi>} {user.disabled && <span class="tag">disabled</span>}{" "}
                    {user.id === session.value?.person?.id && <span class="tag known">you</span>}
                  </td>
                  <td data-label="Role">
                    <select
                      aria-label={`Role of ${user.name}`}
                      value={user.role}
                      onChange={(event) => change("PATCH", `/api/users/${user.id}`, { role: event.currentTarget.value })}
                    >
                      {ROLES.map((role) => (
                        <option key={role} value={role}>
                          {sentenceCase(role)}
                        </option>
                      ))}
                    </select>
                  </td>
                  <td data-label="Calls of">{user.agents.includes("*") ? "All agents" : user.agents.join(", ")}</td>
                  <td data-label="Last login">{user.last_login_at ? moment(user.last_login_at) : "–"}</td>
                  <td>
                    <div class="row-buttons">
                      <button
                        type="button"
                        class="small"
                        onClick={() => change("PATCH", `/api/users/${user.id}`, { disabled: !user.disabled })}
                      >
                        {user.disabled ? "Let in again" : "Disable"}
                      </button>
                      <button type="button" class="small danger" onClick={() => setLeaving(user)}>
                        Remove
                      </button>
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {leaving !== null && (
        <Ask
          title={`Remove ${leaving.name}?`}
          note="They are logged out at once. What they did stays in the audit log."
          send="Remove"
          danger
          answer={() => void change("DELETE", `/api/users/${leaving.id}`)}
          close={() => setLeaving(null)}
        />
      )}
    </>
  );
}

function NewUser({ add }: { add: (user: { name: string; role: Role; password: string }) => Promise<boolean> }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const added = await add({ name: name.trim(), role, password });
    setBusy(false);
    if (!added) return;
    setName("");
    setPassword("");
  };
  return (
    <form class="card new-user" onSubmit={(event) => void submit(event)}>
      <label class="stacked">
        Name
        <input required autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="stacked">
        Password
        <input
          required
          type="password"
          autocomplete="new-password"
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <label class="stacked">
        Role
        <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {sentenceCase(one)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary" disabled={busy}>
        Add
      </button>
    </form>
  );
}
