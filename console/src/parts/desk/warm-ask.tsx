// The dialog of a warm transfer: whom to ask, why, and what the AI does afterwards.

import { useEffect, useRef, useState } from "preact/hooks";
import { apiGet } from "../../api";
import type { DeskUp } from "../../desk/wire";

interface Colleague {
  id: string;
  name: string;
  role: string;
  queues: string[];
}

interface Props {
  callId: string;
  ask: (wish: DeskUp) => void;
  close: () => void;
}

export function WarmAsk({ callId, ask, close }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const [people, setPeople] = useState<Colleague[] | null>(null);
  const [to, setTo] = useState("anyone");
  const [reason, setReason] = useState("");
  const [coach, setCoach] = useState(true);
  const [auto, setAuto] = useState(false);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.showModal();
    apiGet<{ people: Colleague[] }>(`/api/live/${encodeURIComponent(callId)}/colleagues`)
      .then((found) => setPeople(found.people))
      .catch(() => setPeople([]));
    return () => before?.focus();
  }, []);
  const queues = [...new Set((people ?? []).flatMap((one) => one.queues))];
  const submit = (event: Event) => {
    event.preventDefault();
    ask({ type: "warm", to, reason: reason.trim(), coach, auto });
    close();
  };
  return (
    <dialog ref={box} class="ask card warm-ask" onClose={close} aria-labelledby="warm-title">
      <form onSubmit={submit}>
        <h2 id="warm-title">Warm transfer to …</h2>
        <p class="quiet">
          {people !== null && people.length === 0
            ? "Nobody is available now: the caller would have the AI, or you, back at once."
            : "They are rung, told about the call in private, and then connected. The caller hears none of that."}
        </p>
        <label class="stacked">
          Whom to ask
          <select value={to} onChange={(event) => setTo(event.currentTarget.value)}>
            <option value="anyone">Whoever is available</option>
            <option value="role:supervisor">A supervisor</option>
            {queues.map((name) => (
              <option key={name} value={`queue:${name}`}>
                Queue {name}
              </option>
            ))}
            {(people ?? []).map((one) => (
              <option key={one.id} value={`person:${one.id}`}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <label class="stacked">
          Why
          <input dir="auto" value={reason} maxLength={300} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <label class="check">
          <input type="checkbox" checked={coach} onChange={(event) => setCoach(event.currentTarget.checked)} /> The AI stays to coach
        </label>
        <label class="check">
          <input type="checkbox" checked={auto} onChange={(event) => setAuto(event.currentTarget.checked)} /> Connect once they were told
        </label>
        <div class="ask-buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Ask
          </button>
        </div>
      </form>
    </dialog>
  );
}
