// A LiveKit room as a caller's page: `/call?transport=livekit&room=…&user=…`. Sound and words are room-call.ts's.

import { useSignal } from "@preact/signals";
import { Composer } from "../parts/composer";
import type { RoomLine } from "../rooms/lines";
import type { RoomCall } from "../rooms/room-call";

const query = new URLSearchParams(location.search);
const PHASES = { connecting: "Entering the room", up: "In the room", lost: "Connection lost", over: "Over" };

export function RoomPage() {
  const call = useSignal<RoomCall | null>(null);
  const room = query.get("room") ?? "";
  const begin = async () => {
    const { RoomCall } = await import("../rooms/room-call");
    const user = query.get("user") ?? "";
    const next = new RoomCall({
      room,
      identity: user,
      name: query.get("name") ?? user,
      agent: query.get("agent") ?? "",
      callToken: new URLSearchParams(location.hash.slice(1)).get("token") ?? "",
      processing: query.get("aec") !== "off",
    });
    call.value = next;
    Object.defineProperty(window, "offhookRoom", { value: next, configurable: true });
    await next.begin();
  };
  if (room === "") return <p class="banner">This address names no room: add &room=… to it.</p>;
  if (call.value === null) {
    return (
      <section class="front">
        <h1>Enter the room</h1>
        <p dir="auto">
          You will be in the room <b>{room}</b> with the agent, and with whoever else is there.
        </p>
        <button type="button" class="start" onClick={() => void begin()}>
          Enter
        </button>
        <p class="quiet">Your browser will ask for the microphone. The call may be recorded.</p>
      </section>
    );
  }
  return <InRoom call={call.value} />;
}

function InRoom({ call }: { call: RoomCall }) {
  const phase = call.phase.value;
  return (
    <div class="phone">
      <section class="card panel" aria-label="Room">
        <p class="room-state" role="status" data-phase={phase} data-agent={call.agentState.value}>
          <b>{PHASES[phase]}</b>
          {phase === "up" && <span> · agent {call.agentState.value || "not here yet"}</span>}
        </p>
        {(call.ending.value || call.notice.value) && (
          <p class="banner" role="alert" dir="auto">
            {call.ending.value || call.notice.value}
          </p>
        )}
        <ul class="room-people" aria-label="Who is here">
          <li>You</li>
          {call.people.value.map((one) => (
            <li key={one.identity} dir="auto" data-agent={one.agent}>
              {one.agent ? "Agent" : one.name}
            </li>
          ))}
        </ul>
        {phase !== "over" && (
          <div class="controls">
            {call.microphone.value && (
              <button type="button" aria-pressed={call.muted.value} onClick={call.toggleMute}>
                {call.muted.value ? "Unmute" : "Mute"}
              </button>
            )}
            <button type="button" onClick={() => void call.interrupt()}>
              Stop the agent
            </button>
            <button type="button" class="danger" onClick={call.leave}>
              Leave
            </button>
          </div>
        )}
      </section>
      <section class="card conversation" aria-label="Conversation">
        <Lines lines={call.lines.value} me={call.identity} />
        <Composer disabled={phase !== "up"} say={(text) => call.say(text)} />
      </section>
    </div>
  );
}

function Lines({ lines, me }: { lines: readonly RoomLine[]; me: string }) {
  return (
    <div class="live-transcript" tabIndex={0} role="region" aria-label="Transcript">
      {lines.length === 0 && <p class="quiet">What is said and written will appear here.</p>}
      {lines.map((line) => (
        <p
          key={line.key}
          class={`line ${line.name === "Agent" ? "agent" : "caller"}${line.final ? "" : " partial"}`}
          data-who={line.who}
          data-typed={line.typed}
        >
          <span class="speaker" dir="auto">
            {line.who === me ? "You" : line.name}
          </span>
          <span dir="auto">{line.text}</span>
        </p>
      ))}
    </div>
  );
}
