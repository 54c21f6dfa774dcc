// Tells somebody who does not look: a browser notification and two tones, once they asked for it.

import { signal } from "@preact/signals";
import type { Raised } from "./mood";

const KEPT = "offhook-alarm";
const TONES_HZ = [660, 880];
const TONE_S = 0.16;
const VOLUME = 0.12;

function wanted(): boolean {
  try {
    return localStorage.getItem(KEPT) === "on";
  } catch {
    return false;
  }
}

/** Whether alerts are told by sound and notification in this browser. */
export const alarmOn = signal(wanted());
let sound: AudioContext | null = null;

/** By a click: browsers let nothing sound, and nothing be notified, without one. */
export async function setAlarm(on: boolean): Promise<void> {
  alarmOn.value = on;
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // Not kept: asked again next time.
  }
  if (!on) return;
  ring();
  if ("Notification" in window && Notification.permission === "default") await Notification.requestPermission();
}

/** Tell of new alerts; those that page are told although this page is not in front. */
export function alarm(fresh: readonly Raised[], open: (callId: string) => void): void {
  if (!alarmOn.value || fresh.length === 0) return;
  ring();
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  for (const one of fresh.filter((each) => each.alert.page || document.hidden)) notify(one, open);
}

function notify({ call, alert }: Raised, open: (callId: string) => void): void {
  try {
    const note = new Notification(alert.rule, { body: `${call.caller || call.agent}: ${alert.text}`, tag: alert.id });
    note.onclick = () => {
      window.focus();
      open(call.call_id);
      note.close();
    };
  } catch {
    // Android's Chrome has notifications by service workers alone: the tones and the page are left.
  }
}

function ring(): void {
  try {
    sound ??= new AudioContext();
    const { currentTime } = sound;
    void sound.resume();
    TONES_HZ.forEach((hz, at) => {
      const tone = new OscillatorNode(sound!, { frequency: hz });
      const gain = new GainNode(sound!, { gain: VOLUME });
      tone.connect(gain).connect(sound!.destination);
      tone.start(currentTime + at * TONE_S);
      tone.stop(currentTime + (at + 1) * TONE_S);
    });
  } catch {
    // No sound here: the notification and the page are left.
  }
}
