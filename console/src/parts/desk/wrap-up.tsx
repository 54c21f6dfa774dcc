// After the call: what came of it, and a note, kept with the call.

import { useState } from "preact/hooks";
import { apiSend } from "../../api";

export const DISPOSITIONS: [value: string, word: string][] = [
  ["resolved", "Resolved"],
  ["follow_up", "Needs follow-up"],
  ["callback", "Call back"],
  ["sale", "Sale"],
  ["no_sale", "No sale"],
  ["fraud", "Fraud or scam"],
  ["spam", "Spam"],
  ["wrong_number", "Wrong number"],
  ["other", "Other"],
];

interface Props {
  callId: string;
  ending: string;
  leave: () => void;
}

export function WrapUp({ callId, ending, leave }: Props) {
  const [disposition, setDisposition] = useState("");
  const [note, setNote] = useState("");
  const [state, setState] = useState<"open" | "saving" | "saved">("open");
  const [problem, setProblem] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    setState("saving");
    setProblem("");
    try {
      await apiSend("POST", `/api/calls/${encodeURIComponent(callId)}/wrap-up`, { disposition, note: note.trim() });
      setState("saved");
    } catch (error) {
      setState("open");
      setProblem((error as Error).message);
    }
  };
  return (
    <section class="card wrap-up" aria-labelledby="wrap-up-title">
      <div>
        <h2 id="wrap-up-title">Wrap up</h2>
        <p class="quiet">{ending}</p>
      </div>
      <form onSubmit={(event) => void save(event)}>
        <label>
          Outcome
          <select
            required
            value={disposition}
            onChange={(event) => {
              setDisposition(event.currentTarget.value);
              setState("open");
            }}
          >
            <option value="">Choose …</option>
            {DISPOSITIONS.map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        </label>
        <label class="wrap-up-note">
          Note
          <input
            dir="auto"
            maxLength={2000}
            value={note}
            onInput={(event) => {
              setNote(event.currentTarget.value);
              setState("open");
            }}
          />
        </label>
        <button type="submit" class="primary" disabled={disposition === "" || state === "saving"}>
          {state === "saved" ? "Saved ✓" : "Save"}
        </button>
        <a class="button" href={`/calls/${callId}`}>
          Recording and transcript
        </a>
        <button type="button" onClick={leave}>
          To the floor
        </button>
      </form>
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}
