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

type Asked = "instruct" | "say" | "end" | null;

export function Actions({ call, move, say }: Props) {
  const [asked, setAsked] = useState<Asked>(null);
  const mine = seated.value;
  const here = call !== null && mine !== null && mine.state.value.callId === call.call_id && mine.state.value.link !== "over";
  const held = call?.mode === "hold";
  const take = (stance: Stance) => call && void sit({ callId: call.call_id, stance });
  const post = (verb: string, body: unknown) => {
    if (call === null) return;
    const url = verb === "hang-up" ? `/api/calls/${call.call_id}/hang-up` : `/api/live/${call.call_id}/${verb}`;
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
    ["I", "Instruct", () => setAsked("instruct")],
    ["S", "Say now", () => setAsked("say")],
    ["T", "Take over", () => take("take_over"), "primary"],
    ["B", "Hand back", handBack],
    ["H", held ? "Resume" : "Hold", () => post("hold", { on: !held })],
    ["O", "Open", () => call && go(`/desk/${call.call_id}`)],
    ["E", "End", () => setAsked("end"), "danger"],
  ];
  const keys = Object.fromEntries(buttons.map(([key, , act]) => [key.toLowerCase(), () => call !== null && act()]));
  useKeys({
    ...keys,
    Enter: () => call && go(`/desk/${call.call_id}`),
    Escape: () => (here && mine.holds ? say("You hold this call: hand it back first, with B.") : stand()),
    ArrowDown: () => move(1),
    ArrowRight: () => move(1),
    ArrowUp: () => move(-1),
    ArrowLeft: () => move(-1),
  });
  const name = call === null ? "" : (call.direction === "outbound" ? call.called : call.caller) || "this call";
  return (
    <div class="floor-actions" role="toolbar" aria-label={call === null ? "No call chosen" : `What to do with ${name}`}>
      {buttons.map(([key, word, act, look]) => (
        <button key={key} type="button" class={look} disabled={call === null || (key === "B" && !here)} onClick={act}>
          {word} <kbd aria-hidden="true">{key}</kbd>
        </button>
      ))}
      {asked === "end" && (
        <Ask
          title="End this call?"
          note={`The call with ${name} is hung up for everybody.`}
          send="End the call"
          danger
          answer={() => post("hang-up", {})}
          close={() => setAsked(null)}
        />
      )}
      {asked === "instruct" && (
        <Ask
          title={`Instruct the AI: ${name}`}
          note="The AI reads it; the caller does not hear it."
          label="Instruction"
          send="Instruct"
          answer={(text) => post("instruct", { text })}
          close={() => setAsked(null)}
        />
      )}
      {asked === "say" && (
        <Ask
          title={`Say now: ${name}`}
          note="The AI's voice says exactly this to the caller."
          label="What to say"
          send="Say it"
          answer={(text) => post("say", { text })}
          close={() => setAsked(null)}
        />
      )}
    </div>
  );
}
