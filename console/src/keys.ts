// One-key commands: what a key press means where nobody is typing. The page says what each key does.

import { useLayoutEffect, useRef } from "preact/hooks";

export type Keys = Record<string, () => void>;

/** The command for this press, or null: while typing, with a modifier, on repeat, or in an open dialog. */
export function commandFor(event: KeyboardEvent, keys: Keys): (() => void) | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return null;
  const target = event.target as HTMLElement | null;
  if (target?.closest?.("input, textarea, select, [contenteditable], dialog")) return null;
  const plain = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const onControl = target?.closest?.("button, a, summary") && (plain === "Enter" || plain === " ");
  return onControl ? null : (keys[plain] ?? null);
}

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  // With the buttons, not after they are painted: who presses at once is heard.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      const command = commandFor(event, latest.current);
      if (command === null) return;
      event.preventDefault();
      command();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
