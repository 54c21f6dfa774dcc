// The one seat that this window has: it outlives a change of page between floor and cockpit.

import { signal } from "@preact/signals";
import { DeskCall, type SeatOptions } from "./desk-call";

export const seated = signal<DeskCall | null>(null);
const query = new URLSearchParams(location.search);

/** Take a seat on a call, or change the stance of the one held there. Needs a user's gesture. */
export function sit(options: Pick<SeatOptions, "callId" | "stance"> & Partial<SeatOptions>): DeskCall {
  const now = seated.value;
  if (now !== null && now.state.value.link !== "over" && now.state.value.callId === options.callId) {
    if (now.stance !== options.stance) now.takeStance(options.stance);
    return now;
  }
  now?.leave();
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? query.get("token") ?? "";
  const next = new DeskCall({ role: "operator", token, processing: query.get("aec") !== "off", ...options });
  seated.value = next;
  publish(next);
  void next.begin();
  return next;
}

/** Give the seat up and forget it. */
export function stand(): void {
  seated.value?.leave();
  seated.value = null;
}

/** `window.offhookDesk`: figures of this window's seat, for end-to-end tests. Nothing else reads it. */
function publish(desk: DeskCall): void {
  const figures = {
    get link() {
      return desk.state.value.link;
    },
    get callId() {
      return desk.state.value.callId;
    },
    get seat() {
      return desk.state.value.seat;
    },
    get mode() {
      return desk.state.value.mode;
    },
    get stance() {
      return desk.stance;
    },
    get framesSent() {
      return desk.headset?.framesSent ?? 0;
    },
    get framesPlayed() {
      return Math.floor((desk.headset?.playedMs ?? 0) / 20);
    },
    get underruns() {
      return desk.headset?.underruns ?? 0;
    },
    get rms() {
      return desk.headset?.rms ?? 0;
    },
    cut: () => desk.cut(),
    tone: (hertz: number) => desk.headset?.tone(hertz) ?? Number.NEGATIVE_INFINITY,
  };
  Object.defineProperty(window, "offhookDesk", { value: Object.freeze(figures), configurable: true });
}
