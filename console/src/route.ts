// Which path this window shows. Floor and cockpit change places without a page load, so that a seat outlives it.

import { signal } from "@preact/signals";

export const path = signal(clean(location.pathname));
window.addEventListener("popstate", () => {
  path.value = clean(location.pathname);
});

export function clean(pathname: string): string {
  return pathname.replace(/(.)\/$/, "$1");
}

/** Show another path of this console in place. */
export function go(to: string): void {
  history.pushState(null, "", to);
  path.value = clean(location.pathname);
  window.scrollTo(0, 0);
  document.getElementById("main")?.focus();
}

/** For links within the desk: plain clicks stay in this window, all others are the browser's. */
export function inPlace(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go((event.currentTarget as HTMLAnchorElement).getAttribute("href") ?? "/");
}
