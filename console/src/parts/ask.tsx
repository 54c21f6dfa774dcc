// A small dialog: a line to send, or a question to confirm. The browser's own dialog, closed by Escape.

import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  title: string;
  /** Words under the title. */
  note: string;
  /** The label of the text box; none asks for a confirmation alone. */
  label?: string;
  /** One short line, like a number; else a text. */
  short?: boolean;
  send: string;
  danger?: boolean;
  answer: (text: string) => void;
  close: () => void;
}

const LONGEST = 1000;

export function Ask({ title, note, label, short, send, danger, answer, close }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.showModal();
    return () => before?.focus();
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    if (label !== undefined && text.trim() === "") return;
    answer(text.trim());
    close();
  };
  return (
    <dialog ref={box} class="ask card" onClose={close} aria-labelledby="ask-title">
      <form onSubmit={submit}>
        <h2 id="ask-title">{title}</h2>
        <p class="quiet">{note}</p>
        {label !== undefined && (
          <label class="stacked">
            {label}
            {short ? (
              <input
                type="tel"
                dir="ltr"
                autocomplete="off"
                maxLength={256}
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
              />
            ) : (
              <textarea
                rows={3}
                dir="auto"
                maxLength={LONGEST}
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
                onKeyDown={(event) => {
                  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
                }}
              />
            )}
          </label>
        )}
        <div class="ask-buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={danger ? "danger" : "primary"}>
            {send}
          </button>
        </div>
      </form>
    </dialog>
  );
}
