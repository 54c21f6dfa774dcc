// The cockpit's commands: a button and a key for each. What the server has not confirmed is not shown as true.

import { useState } from "preact/hooks";
import type { DeskCall } from "../../desk/desk-call";
import { talks } from "../../desk/hears";
import { stand } from "../../desk/seated";
import { useKeys } from "../../keys";
import { go } from "../../route";
import { Ask } from "../ask";
import { STANCES } from "./words";

interface Props {
  desk: DeskCall;
  say: () => void;
  instruct: () => void;
}

export function Commands({ desk, say, instruct }: Props) {
  const [ending, setEnding] = useState(false);
  const { link, mode, seat } = desk.state.value;
  const up = link === "up" && seat !== "";
  const { stance } = desk;
  const held = mode === "hold";
  const spoken = mode === "say";
  const hold = () => desk.send({ type: "hold", on: !held });
  const speaks = () => desk.send({ type: "ai_speaks", on: !spoken });
  const back = () => desk.send({ type: "hand_back" });
  const leave = () => {
    stand();
    go("/");
  };
  useKeys({
    ...Object.fromEntries(STANCES.map((one) => [one.key.toLowerCase(), () => up && desk.takeStance(one.stance)])),
    b: () => up && back(),
    h: () => up && hold(),
    a: () => up && desk.holds && speaks(),
    m: () => up && desk.toggleMute(),
    e: () => up && setEnding(true),
    s: say,
    i: instruct,
  });
  return (
    <div class="commands" role="toolbar" aria-label="Commands of this call">
      <div class="segments" role="group" aria-label="How you take part">
        {STANCES.map((one) => (
          <button
            key={one.stance}
            type="button"
            title={one.hint}
            disabled={!up}
            aria-pressed={up && stance === one.stance}
            onClick={() => desk.takeStance(one.stance)}
          >
            {one.word} <kbd aria-hidden="true">{one.key}</kbd>
          </button>
        ))}
      </div>
      <button type="button" disabled={!up || !desk.holds} onClick={back}>
        Hand back <kbd aria-hidden="true">B</kbd>
      </button>
      <button type="button" disabled={!up || !desk.holds} aria-pressed={spoken} onClick={speaks}>
        AI speaks for me <kbd aria-hidden="true">A</kbd>
      </button>
      <button type="button" disabled={!up} aria-pressed={held} onClick={hold}>
        Hold <kbd aria-hidden="true">H</kbd>
      </button>
      <button
        type="button"
        class={desk.muted.value ? "muted" : ""}
        disabled={!up || !talks(stance) || !desk.microphone.value}
        aria-pressed={desk.muted.value}
        onClick={desk.toggleMute}
      >
        Mute <kbd aria-hidden="true">M</kbd>
      </button>
      <span class="push" />
      <button type="button" onClick={leave}>
        Leave
      </button>
      <button type="button" class="danger" disabled={!up} onClick={() => setEnding(true)}>
        End call <kbd aria-hidden="true">E</kbd>
      </button>
      {ending && (
        <Ask
          title="End this call?"
          note="The caller is hung up on, for everybody."
          send="End the call"
          danger
          answer={() => desk.send({ type: "end" })}
          close={() => setEnding(false)}
        />
      )}
    </div>
  );
}
