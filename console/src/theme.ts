// Light or dark: as the system has it, or as chosen here. The sheet reads `data-theme` of the document.

import { signal } from "@preact/signals";

export type Choice = "system" | "light" | "dark";

const KEY = "offhook-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

export const choice = signal<Choice>(kept());

function kept(): Choice {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

function apply(): void {
  const shown = choice.value === "system" ? (dark.matches ? "dark" : "light") : choice.value;
  document.documentElement.dataset.theme = shown;
}

/** Follow the system from now on, unless something was chosen. Call once. */
export function wearTheme(): void {
  apply();
  dark.addEventListener("change", apply);
}

export function choose(next: Choice): void {
  choice.value = next;
  apply();
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // a browser that keeps nothing still shows what was chosen
  }
}
