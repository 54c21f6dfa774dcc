// What was named in the call and may matter: found by itself or added by hand, pinned as evidence, with its time.

import { useState } from "preact/hooks";
import type { DeskCall } from "../../desk/desk-call";
import { clock, sentenceCase } from "../../words";

export const TYPES = ["phone", "iban", "bank_account", "card", "wallet", "email", "url", "name", "amount", "other"];

export function Entities({ desk }: { desk: DeskCall }) {
  const { entities, link } = desk.state.value;
  const [adding, setAdding] = useState(false);
  const shown = [...entities].sort((a, b) => Number(b.pinned) - Number(a.pinned) || a.at_ms - b.at_ms);
  return (
    <section class="card entities" aria-labelledby="entities-title">
      <div class="coach-head">
        <h2 id="entities-title">Evidence</h2>
        <button
          type="button"
          class="small"
          aria-expanded={adding}
          disabled={link !== "up"}
          onClick={() => setAdding(!adding)}
        >
          Add
        </button>
      </div>
      {adding && <Add desk={desk} done={() => setAdding(false)} />}
      {shown.length === 0 && <p class="quiet">Numbers, accounts, names and links that are said appear here.</p>}
      <ul>
        {shown.map((one) => (
          <li key={one.id} class={one.pinned ? "pinned" : undefined}>
            <button
              type="button"
              class="small"
              aria-pressed={one.pinned}
              aria-label={`${one.pinned ? "Unpin" : "Pin"} ${one.kind} ${one.value}`}
              disabled={link !== "up"}
              onClick={() => desk.send({ type: "pin", id: one.id, pinned: !one.pinned })}
            >
              {one.pinned ? "★" : "☆"}
            </button>
            <span>
              <span class="quiet">{sentenceCase(one.kind)}</span> <bdi class="entity-value">{one.value}</bdi>
            </span>
            <span class="time">{clock(one.at_ms)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Add({ desk, done }: { desk: DeskCall; done: () => void }) {
  const [type, setType] = useState("name");
  const [value, setValue] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    const added = { type, value: value.trim(), at_ms: Math.round(desk.mediaMs) };
    if (added.value !== "" && desk.send({ type: "pin", id: `own-${ownId()}`, pinned: true, added })) done();
  };
  return (
    <form class="entity-add" onSubmit={submit}>
      <label>
        <span class="for-screen-readers">Kind</span>
        <select value={type} onChange={(event) => setType(event.currentTarget.value)}>
          {TYPES.map((name) => (
            <option key={name} value={name}>
              {sentenceCase(name)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="for-screen-readers">What was said</span>
        <input
          dir="auto"
          maxLength={200}
          placeholder="What was said"
          value={value}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Pin</button>
    </form>
  );
}

/** Also on pages that are not https://, which have no randomUUID. */
function ownId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
