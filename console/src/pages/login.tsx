// The login: name and password, then back to where one wanted to go.

import { useState } from "preact/hooks";
import { destination, logIn } from "../session";

export function LoginPage() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await logIn(name.trim(), password);
      location.replace(destination(location.search));
    } catch (error) {
      setProblem((error as Error).message);
      setPassword("");
      setBusy(false);
    }
  };
  return (
    <form class="card login" onSubmit={(event) => void submit(event)}>
      <h1>Log in</h1>
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      <label class="stacked">
        Name
        <input
          name="username"
          autocomplete="username"
          autocapitalize="none"
          autofocus
          required
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label class="stacked">
        Password
        <input
          name="password"
          type="password"
          autocomplete="current-password"
          required
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary" disabled={busy}>
        {busy ? "Logging in …" : "Log in"}
      </button>
    </form>
  );
}
