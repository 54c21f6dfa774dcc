// One-key commands: what a key press means where nobody is typing. The page says what each key does.

import { useLayoutEffect, useRef } from "preact/hooks";

export type Keys = Record<string, () => void>;

/** What a press means: its letter in small, by the key's place where the keyboard has other letters (Arabic, Cyrillic …). */
export function plainKey({ key, code }: KeyboardEvent): string {
  const place = /^Key([A-Z])$/.exec(code ?? "")?.[1];
  if (place !== undefined && key.charCodeAt(0) > 127) return place.toLowerCase();
  return key.length === 1 ? key.toLowerCase() : key;
}

/** The command for this press, or null: while typing, with a modifier, on repeat, or in an open dialog. */
export function commandFor(event: KeyboardEvent, keys: Keys): (() => void) | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return null;
  const target = event.target as HTMLElement | null;
  if (target?.closest?.("input, textarea, select, [contenteditable], dialog")) return null;
  const plain = plainKey(event);
  const onControl = target?.closest?.("button, a, summary") && (plain === "Enter" || plain === " ");
  return onControl ? null : (keys[plain] ?? null);
}

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  // With the buttons, not after they are painted: who presses at once is heard.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      // A click beside the words of a dialog leaves the focus on the page behind it.
      if (document.querySelector("dialog[open]") !== null) return;
      const command = commandFor(event, latest.current);
      if (command === null) return;
      event.preventDefault();
      command();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
