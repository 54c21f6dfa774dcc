// A new voice from recordings, where a provider makes them: only with the consent of whose voice it is.

import { useState } from "preact/hooks";
import { apiRaw } from "../api";
import type { VoiceProvider } from "../voices";

const DEADLINE_MS = 120_000;

export function CloneVoice({ providers, done }: { providers: readonly VoiceProvider[]; done: () => void }) {
  const [consent, setConsent] = useState(false);
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState("");
  const [problem, setProblem] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    setProblem("");
    setOutcome("");
    try {
      const answer = await apiRaw("/api/voices", { method: "POST", body: new FormData(form) }, DEADLINE_MS);
      const made = (await answer.json()) as { name: string; requires_verification: boolean };
      const next = made.requires_verification ? "its owner has to verify it at the provider first." : "it can be chosen above.";
      setOutcome(`The voice “${made.name}” was made; ${next}`);
      form.reset();
      setConsent(false);
      done();
    } catch (error) {
      setProblem((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <section class="card" aria-labelledby="clone-title">
      <h2 id="clone-title">Make a voice from recordings</h2>
      {providers.length === 0 ? (
        <p class="quiet">None of the providers in the settings makes voices; ElevenLabs does.</p>
      ) : (
        <form class="clone" onSubmit={(event) => void submit(event)}>
          <label class="stacked">
            Provider
            <select name="provider">
              {providers.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label class="stacked">
            Name of the voice
            <input name="name" dir="auto" required maxLength={64} />
          </label>
          <label class="stacked">
            Recordings
            <input name="files" type="file" accept="audio/*" multiple required />
          </label>
          <label class="consent">
            <input
              name="consent"
              type="checkbox"
              value="true"
              required
              checked={consent}
              onChange={(event) => setConsent(event.currentTarget.checked)}
            />
            The person whose voice this is has agreed to this use of it.
          </label>
          <button type="submit" class="primary" disabled={!consent || busy}>
            {busy ? "Making …" : "Make the voice"}
          </button>
        </form>
      )}
      <div role="status">{outcome}</div>
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}
