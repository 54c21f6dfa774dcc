// The cockpit's page: a doorway until a seat is taken on the call (browsers want a gesture for sound), then the cockpit.

import { useEffect, useState } from "preact/hooks";
import { type CallDetail, fetchCall } from "../api";
import { seated, sit } from "../desk/seated";
import type { Stance } from "../desk/wire";
import { useKeys } from "../keys";
import { Cockpit } from "../parts/desk/cockpit";
import { STANCES } from "../parts/desk/words";
import { inPlace } from "../route";
import { channelWord } from "./call-list";

const ROLES = ["operator", "supervisor"] as const;

export function Desk({ id }: { id: string }) {
  const desk = seated.value;
  const mine = desk !== null && (desk.options.callId === id || desk.state.value.callId === id);
  if (!mine) return <Doorway id={id} />;
  return <Cockpit desk={desk} />;
}

function Doorway({ id }: { id: string }) {
  const [detail, setDetail] = useState<CallDetail | null>(null);
  const [problem, setProblem] = useState("");
  // A call that does not exist yet is made by who joins first, on the address of two parties.
  const unborn = location.pathname === "/live";
  useEffect(() => {
    if (id === "") return setProblem("The address names no call.");
    if (unborn) return;
    fetchCall(id)
      .then(setDetail)
      .catch((error: Error) => setProblem(error.message));
  }, [id]);
  const query = new URLSearchParams(location.search);
  const role = ROLES.find((one) => one === query.get("role")) ?? "operator";
  const call = detail?.call;
  const over = call !== undefined && call.state !== "live";
  const enter = (stance: Stance) => {
    if (!over && problem === "") sit({ callId: id, stance, role });
  };
  useKeys(Object.fromEntries(STANCES.map(({ stance, key }) => [key.toLowerCase(), () => enter(stance)])));
  return (
    <section class="doorway">
      <h1>{call ? <bdi>{call.caller || `${channelWord(call.channel)} call`}</bdi> : "Live call"}</h1>
      <p class="quiet">{over ? "This call is over." : "Put on your headset, then choose how to enter. You can change it at any time."}</p>
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      {!over && (
        <div class="doorway-ways">
          {STANCES.map(({ stance, word, key, hint }) => (
            <button
              key={stance}
              type="button"
              class={stance === "listen" ? "primary" : ""}
              disabled={problem !== ""}
              onClick={() => enter(stance)}
            >
              <span>
                {word} <kbd aria-hidden="true">{key}</kbd>
              </span>
              <small>{hint}</small>
            </button>
          ))}
        </div>
      )}
      <p>
        {over ? <a href={`/calls/${id}`}>Recording and transcript</a> : null}{" "}
        <a href="/" onClick={inPlace}>
          Back to the live floor
        </a>
      </p>
    </section>
  );
}
