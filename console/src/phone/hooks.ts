// `window.offhookCall`: read-only figures of the call on this page, for end-to-end tests. Nothing else reads it.

import type { PhoneCall } from "./call";

/** Publish the figures of `call`, the page's only one. */
export function publish(call: PhoneCall): void {
  const figures = {
    get state() {
      return call.phase.value === "up" ? call.floor.value : call.phase.value;
    },
    get callId() {
      return call.callId.value;
    },
    get transport() {
      return call.transport.value;
    },
    get codec() {
      return call.codec;
    },
    get rate() {
      return call.voice?.rate ?? 0;
    },
    get framesSent() {
      return call.voice?.framesSent ?? 0;
    },
    get framesPlayed() {
      return Math.floor((call.voice?.playedMs ?? 0) / 20);
    },
    get underruns() {
      return call.voice?.underruns ?? 0;
    },
    get bufferedMs() {
      return call.voice?.bufferedMs ?? 0;
    },
    get rms() {
      return call.phase.value === "over" ? 0 : (call.voice?.rms ?? 0);
    },
    get quality() {
      return { ...call.quality.value };
    },
  };
  Object.defineProperty(window, "offhookCall", { value: Object.freeze(figures), configurable: true });
}
