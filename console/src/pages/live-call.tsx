// One call on the caller's page: state, meters, buttons, transcript, keypad, text box. Audio is elsewhere.

import type { Signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { plainKey } from "../keys";
import { Composer } from "../parts/composer";
import { CallState } from "../parts/call-state";
import { Keypad } from "../parts/keypad";
import { LiveTranscript } from "../parts/live-transcript";
import { Meter } from "../parts/meter";
import type { PhoneCall } from "../phone/call";
import { clock, latency } from "../words";

interface Props {
  call: PhoneCall;
  again: () => void;
}

export function LiveCall({ call, again }: Props) {
  const [keypad, setKeypad] = useState(false);
  useShortcuts(call, keypad);
  const over = call.phase.value === "over";
  return (
    <div class="phone">
      <section class="card panel" aria-label="Call">
        <CallState call={call} />
        {call.notice.value !== "" && (
          <p class="banner" role="alert" dir="auto">
            {call.notice.value}
          </p>
        )}
        <Levels call={call} />
        {over ? <Ended call={call} again={again} /> : <Controls call={call} keypad={keypad} show={setKeypad} />}
        {keypad && !over && <Keypad press={(digit) => call.press(digit)} />}
        <Connection call={call} />
      </section>
      <section class="card conversation" aria-label="Conversation">
        <LiveTranscript lines={call.lines.value} />
        <Composer disabled={call.phase.value !== "up"} say={(text) => call.say(text)} />
      </section>
    </div>
  );
}

function Levels({ call }: { call: PhoneCall }) {
  const [caller] = useState(() => () => (call.muted.peek() ? -90 : (call.voice?.callerLevel ?? -90)));
  const [agent] = useState(() => () => call.voice?.agentLevel ?? -90);
  if (call.phase.value === "over" || call.voice === null) return null;
  return (
    <div class="meters">
      {call.microphone.value && <Meter label={call.muted.value ? "You (muted)" : "You"} tone="--caller" level={caller} />}
      <Meter label="Agent" tone="--agent" level={agent} />
    </div>
  );
}

function Controls({ call, keypad, show }: { call: PhoneCall; keypad: boolean; show: (shown: boolean) => void }) {
  const muted = call.muted.value;
  return (
    <div class="controls">
      {call.microphone.value && (
        <button type="button" class={muted ? "muted" : ""} aria-pressed={muted} onClick={call.toggleMute}>
          {muted ? "Unmute" : "Mute"} <kbd>M</kbd>
        </button>
      )}
      <button type="button" aria-expanded={keypad} onClick={() => show(!keypad)}>
        Keypad
      </button>
      <button type="button" class="danger" onClick={call.hangUp}>
        Hang up <kbd>Esc</kbd>
      </button>
    </div>
  );
}

function Ended({ call, again }: Props) {
  return (
    <div class="controls">
      <button type="button" class="primary" onClick={again}>
        Call again
      </button>
      {call.callId.value !== "" && (
        <a class="button" href={`/calls/${call.callId.value}`}>
          Recording and transcript
        </a>
      )}
    </div>
  );
}

function Connection({ call }: { call: PhoneCall }) {
  const elapsed = useElapsed(call.startedAt, call.endedAt);
  const quality = call.quality.value;
  const lost = call.phase.value === "lost";
  const known = quality.grade !== "unknown";
  const response = call.responseMs.value;
  return (
    <dl class="connection">
      <div>
        <dt>Time</dt>
        <dd class="figure">{clock(elapsed)}</dd>
      </div>
      <div>
        <dt>Connection</dt>
        <dd class={`grade ${lost ? "poor" : quality.grade}`}>
          {lost ? "lost" : known ? quality.grade : "measuring"}
        </dd>
      </div>
      <div>
        <dt>Last response</dt>
        <dd class="figure">{latency(response)}</dd>
      </div>
      <div>
        <dt>Round trip</dt>
        <dd class="figure">{known ? `${quality.roundTripMs} ms` : "–"}</dd>
      </div>
      <div>
        <dt>Jitter</dt>
        <dd class="figure">{known ? `${quality.jitterMs} ms` : "–"}</dd>
      </div>
      <div>
        <dt>Transport</dt>
        <dd>{call.transport.value === "webrtc" ? "WebRTC" : "WebSocket"}</dd>
      </div>
      <div>
        <dt>Gaps heard</dt>
        <dd class="figure">{quality.underruns}</dd>
      </div>
    </dl>
  );
}

function useElapsed(from: Signal<number>, to: Signal<number>): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(performance.now()), 500);
    return () => window.clearInterval(timer);
  }, []);
  return from.value === 0 ? 0 : (to.value || now) - from.value;
}

/** M mutes, Esc hangs up, digits press keys while the keypad is open; never while someone types. */
function useShortcuts(call: PhoneCall, keypad: boolean): void {
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const target = event.target as HTMLElement;
      if (target.matches("input, textarea, select")) {
        if (event.key === "Escape") target.blur();
        return;
      }
      if (event.key === "Escape") call.hangUp();
      else if (plainKey(event) === "m") call.toggleMute();
      else if (keypad && /^[0-9*#]$/.test(event.key)) call.press(event.key);
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, [call, keypad]);
}
