// The header: brand, main links, light or dark, who is here.

import { useState } from "preact/hooks";
import { path } from "../route";
import { logOut, may, session } from "../session";
import { type Choice, choice, choose } from "../theme";

const THEMES: { value: Choice; word: string }[] = [
  { value: "system", word: "As the system" },
  { value: "light", word: "Light" },
  { value: "dark", word: "Dark" },
];

export function Header() {
  const link = (to: string, text: string, shown = true) =>
    shown && (
      <a href={to} aria-current={path.value === to ? "page" : undefined}>
        {text}
      </a>
    );
  const person = session.value?.person ?? null;
  const [problem, setProblem] = useState("");
  return (
    <header class="top">
      <a class="brand" href="/" aria-label="Offhook, to the live floor">
        <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M8 19v-6M13 23V9M18 20v-8M23 17.5v-3" />
        </svg>
        Offhook
      </a>
      <nav aria-label="Main">
        {person !== null && (
          <>
            {link("/", "Live floor")}
            {link("/calls", "Calls")}
            {link("/playground", "Voices")}
            {link("/queues", "Queues", may("talk"))}
            {link("/routing", "Routing", may("edit_agents"))}
            {link("/audit", "Audit", may("see_audit"))}
            {link("/users", "Users", may("edit_users"))}
          </>
        )}
        {link("/call", "Call the agent")}
      </nav>
      <div class="who">
        <label>
          <span class="for-screen-readers">Colours</span>
          <select
            class="theme"
            value={choice.value}
            onChange={(event) => choose(event.currentTarget.value as Choice)}
          >
            {THEMES.map(({ value, word }) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        </label>
        {person !== null && (
          <span class="person" title={person.role}>
            <bdi>{person.name}</bdi> <span class="quiet">{person.role}</span>
          </span>
        )}
        {person !== null && session.value?.login && (
          <button type="button" class="small" onClick={() => void logOut().catch((error: Error) => setProblem(error.message))}>
            Log out
          </button>
        )}
        {problem !== "" && <span role="alert">You are still logged in: {problem}</span>}
      </div>
    </header>
  );
}
