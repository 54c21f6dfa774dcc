// The caller's page: a start button, then one call. What the call is doing cannot be misread.

import { useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { type AgentInfo, fetchAgents } from "../api";
import { PhoneCall } from "../phone/call";
import { publish } from "../phone/hooks";
import { type Wish, codecOf, wishOf } from "../phone/link";
import { rtcServers } from "../phone/rtc";
import { audioObstacle } from "../phone/sound";
import { LiveCall } from "./live-call";

const query = new URLSearchParams(location.search);

export function PhonePage() {
  const call = useSignal<PhoneCall | null>(null);
  const begin = (agent: string, wish: Wish) => {
    const next = new PhoneCall({
      agent,
      token: new URLSearchParams(location.hash.slice(1)).get("token") ?? "",
      transport: wish,
      codec: codecOf(query.get("codec")),
      processing: query.get("aec") !== "off",
      nativeRate: query.get("rate") === "native",
    });
    call.value = next;
    publish(next);
    void next.begin();
  };
  if (call.value === null) return <Front begin={begin} />;
  return (
    <LiveCall
      key={call.value}
      call={call.value}
      again={() => {
        call.value = null;
      }}
    />
  );
}

const WISHES: [Wish, string][] = [
  ["websocket", "WebSocket"],
  ["webrtc", "WebRTC"],
  ["auto", "WebRTC, else WebSocket"],
];

function Front({ begin }: { begin: (agent: string, wish: Wish) => void }) {
  const [agents, setAgents] = useState<AgentInfo[]>([]);
  const [chosen, setChosen] = useState(query.get("agent") ?? "");
  const [wish, setWish] = useState<Wish>(wishOf(query.get("transport")) ?? "websocket");
  const [rtc, setRtc] = useState(false);
  useEffect(() => {
    void fetchAgents().then(setAgents);
    void rtcServers().then((servers) => setRtc(servers !== null));
  }, []);
  const agent = agents.find(({ name }) => name === chosen) ?? agents[0];
  const obstacle = audioObstacle();
  return (
    <section class="front">
      <h1>Talk to the agent</h1>
      <p>
        {obstacle === null
          ? "Speak as on the telephone. You can interrupt at any time, and type when you cannot speak."
          : "Type to the agent; it answers in writing."}
      </p>
      {agents.length > 1 && (
        <label class="agent-choice">
          Agent
          <select value={agent?.name} onChange={(event) => setChosen(event.currentTarget.value)}>
            {agents.map(({ name, language }) => (
              <option key={name} value={name}>
                {language ? `${name} (${language})` : name}
              </option>
            ))}
          </select>
        </label>
      )}
      {agents.length > 1 && agent?.greeting && (
        <p class="greeting" dir="auto">
          “{agent.greeting}”
        </p>
      )}
      {rtc && obstacle === null && (
        <label class="agent-choice">
          Connection
          <select value={wish} onChange={(event) => setWish(event.currentTarget.value as Wish)}>
            {WISHES.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <button
        type="button"
        class="start"
        onClick={() => begin(agents.length > 1 ? (agent?.name ?? "") : chosen, wish)}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M6.6 3.2 9 3l1.700 4.200-2 1.600a12 12 0 0 0 6.500 6.500l1.600-2L21 15l-.2 2.400c-.1 1.500-1.400 2.700-2.900 2.600C10.300 19.500 4.500 13.700 4 6.100c-.1-1.500 1.100-2.800 2.600-2.900z" />
        </svg>
        Start the call
      </button>
      {obstacle !== null ? (
        <p class="banner">{obstacle}</p>
      ) : (
        <p class="quiet">Your browser will ask for the microphone. The call may be recorded.</p>
      )}
    </section>
  );
}
