// What asks for a human now, above the cards; and whether this browser tells of it by sound and notification.

import { useEffect, useRef } from "preact/hooks";
import type { FloorCall } from "../../desk/wire";
import { alarm, alarmOn, setAlarm } from "../../floor/alarm";
import { news, standing } from "../../floor/mood";
import { sentenceCase } from "../../words";

const SHOWN = 4;

interface Props {
  calls: readonly FloorCall[];
  /** Whether the floor has been heard of yet. */
  ready: boolean;
  focus: (callId: string) => void;
}

export function Alerts({ calls, ready, focus }: Props) {
  const told = useRef(new Set<string>());
  const opened = useRef(false);
  const raised = standing(calls);
  const ids = raised.map(({ alert }) => alert.id).join();
  useEffect(() => {
    if (!ready) return;
    alarm(news(raised, told.current, !opened.current), focus);
    opened.current = true;
  }, [ids, ready]);
  return (
    <section class="alerts" aria-label="Alerts">
      <button type="button" class="plain" aria-pressed={alarmOn.value} onClick={() => void setAlarm(!alarmOn.value)}>
        {alarmOn.value ? "Alerts sound and notify" : "Sound and notify on alerts"}
      </button>
      <ul aria-live="polite">
        {raised.slice(0, SHOWN).map(({ call, alert }) => (
          <li key={alert.id} class={alert.level}>
            <button type="button" onClick={() => focus(call.call_id)}>
              <i aria-hidden="true" />
              <b>{alert.rule}</b> <span>{sentenceCase(alert.text)}</span>{" "}
              <bdi class="quiet">{call.caller || call.agent}</bdi>
            </button>
          </li>
        ))}
      </ul>
      {raised.length > SHOWN && <span class="quiet">and {raised.length - SHOWN} more</span>}
    </section>
  );
}
