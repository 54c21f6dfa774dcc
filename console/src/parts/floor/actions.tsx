// What can be done with the focused call, each by one key: buttons that say so, and the keys themselves.

import { useState } from "preact/hooks";
import { apiSend } from "../../api";
import { sit, stand, seated } from "../../desk/seated";
import type { FloorCall, Stance } from "../../desk/wire";
import { useKeys } from "../../keys";
import { go } from "../../route";
import { Ask } from "../ask";

interface Props {
  call: FloorCall | null;
  move: (by: number) => void;
  say: (problem: string) => void;
}

/** What is asked, and about which call: the floor may choose another one meanwhile. */
type Asked = { what: "instruct" | "say" | "end"; call: FloorCall } | null;

export function Actions({ call, move, say }: Props) {
  const [asked, setAsked] = useState<Asked>(null);
  const mine = seated.value;
  const here = call !== null && mine !== null && mine.state.value.callId === call.call_id && mine.state.value.link !== "over";
  const holds = mine !== null && mine.state.value.link === "up" && mine.holds;
  const held = call?.mode === "hold";
  const take = (stance: Stance) => {
    if (holds && !here) say("You hold another call: hand it back first.");
    else if (call !== null) sit({ callId: call.call_id, stance });
  };
  const leave = () => {
    if (!holds) stand();
    else say(here ? "You hold this call: hand it back first, with B." : "You hold another call: hand it back first.");
  };
  const ask = (what: "instruct" | "say" | "end") => call && setAsked({ what, call });
  const post = ({ call_id: id }: FloorCall, verb: string, body: unknown) => {
    const url = verb === "hang-up" ? `/api/calls/${id}/hang-up` : `/api/live/${id}/${verb}`;
    apiSend("POST", url, body).catch((error: Error) => say(error.message));
  };
  const handBack = () => {
    if (here && mine.holds) mine.send({ type: "hand_back" });
    else say("You have not taken this call over.");
  };
  const buttons: [key: string, word: string, act: () => void, look?: string][] = [
    ["L", "Listen", () => take("listen")],
    ["C", "Coach", () => take("coach")],
    ["J", "Join", () => take("join")],
    ["I", "Instruct", () => ask("instruct")],
    ["S", "Say now", () => ask("say")],
    ["T", "Take over", () => take("take_over"), "primary"],
    ["B", "Hand back", handBack],
    ["H", held ? "Resume" : "Hold", () => call && post(call, "hold", { on: !held })],
    ["O", "Open", () => call && go(`/desk/${call.call_id}`)],
    ["E", "End", () => ask("end"), "danger"],
  ];
  const keys = Object.fromEntries(buttons.map(([key, , act]) => [key.toLowerCase(), () => call !== null && act()]));
  useKeys({
    ...keys,
    Enter: () => call && go(`/desk/${call.call_id}`),
    Escape: leave,
    ArrowDown: () => move(1),
    ArrowRight: () => move(1),
    ArrowUp: () => move(-1),
    ArrowLeft: () => move(-1),
  });
  return (
    <div class="floor-actions" role="toolbar" aria-label={call === null ? "No call chosen" : `What to do with ${nameOf(call)}`}>
      {buttons.map(([key, word, act, look]) => (
        <button key={key} type="button" class={look} disabled={call === null || (key === "B" && !here)} onClick={act}>
          {word} <kbd aria-hidden="true">{key}</kbd>
        </button>
      ))}
      {asked?.what === "end" && (
        <Ask
          title="End this call?"
          note={`The call with ${nameOf(asked.call)} is hung up for everybody.`}
          send="End the call"
          danger
          answer={() => post(asked.call, "hang-up", {})}
          close={() => setAsked(null)}
        />
      )}
      {asked?.what === "instruct" && (
        <Ask
          title={`Instruct the AI: ${nameOf(asked.call)}`}
          note="The AI reads it; the caller does not hear it."
          label="Instruction"
          send="Instruct"
          answer={(text) => post(asked.call, "instruct", { text })}
          close={() => setAsked(null)}
        />
      )}
      {asked?.what === "say" && (
        <Ask
          title={`Say now: ${nameOf(asked.call)}`}
          note="The AI's voice says exactly this to the caller."
          label="What to say"
          send="Say it"
          answer={(text) => post(asked.call, "say", { text })}
          close={() => setAsked(null)}
        />
      )}
    </div>
  );
}

function nameOf(call: FloorCall): string {
  return (call.direction === "outbound" ? call.called : call.caller) || "this call";
}
