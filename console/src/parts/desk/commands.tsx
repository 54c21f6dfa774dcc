// The cockpit's commands: a button and a key for each. What the server has not confirmed is not shown as true.

import { useState } from "preact/hooks";
import type { DeskCall } from "../../desk/desk-call";
import { talks } from "../../desk/hears";
import { stand } from "../../desk/seated";
import type { Stance } from "../../desk/wire";
import { useKeys } from "../../keys";
import { go } from "../../route";
import { may } from "../../session";
import { Ask } from "../ask";
import { WarmAsk } from "./warm-ask";
import { STANCES } from "./words";

interface Props {
  desk: DeskCall;
  say: () => void;
  instruct: () => void;
}

export function Commands({ desk, say, instruct }: Props) {
  const [asked, setAsked] = useState<"end" | "transfer" | "warm" | null>(null);
  const { link, mode, seat, transfer } = desk.state.value;
  const up = link === "up" && seat !== "";
  const { stance } = desk;
  const held = mode === "hold";
  const spoken = mode === "say";
  const hold = () => desk.send({ type: "hold", on: !held });
  const speaks = () => desk.send({ type: "ai_speaks", on: !spoken });
  const back = () => desk.send({ type: "hand_back" });
  const stays = may("transfer") ? (transfer.able ? "" : transfer.reason) : "Your role may not transfer calls";
  const putThrough = () => (stays === "" ? setAsked("transfer") : desk.note(`No transfer: ${stays}.`));
  // Who is told about a call takes it, or declines; whatever else would be a decline (docs/desk.md).
  const told = stance === "consult";
  const can = (wanted: Stance) => up && (!told || wanted === "take_over");
  const leave = () => {
    stand();
    go("/");
  };
  useKeys({
    ...Object.fromEntries(STANCES.map((one) => [one.key.toLowerCase(), () => can(one.stance) && desk.takeStance(one.stance)])),
    b: () => up && back(),
    h: () => up && !told && hold(),
    a: () => up && desk.holds && speaks(),
    m: () => up && desk.toggleMute(),
    x: () => up && !told && putThrough(),
    w: () => up && !told && may("talk") && setAsked("warm"),
    k: () => up && told && desk.send({ type: "warm_act", step: "connect" }),
    e: () => up && setAsked("end"),
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
            disabled={!can(one.stance)}
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
      <button type="button" disabled={!up || told} aria-pressed={held} onClick={hold}>
        Hold <kbd aria-hidden="true">H</kbd>
      </button>
      <button
        type="button"
        class={desk.muted.value ? "muted" : ""}
        disabled={!up || !(talks(stance) || told) || !desk.microphone.value}
        aria-pressed={desk.muted.value}
        onClick={desk.toggleMute}
      >
        {desk.muted.value ? "Unmute" : "Mute"} <kbd aria-hidden="true">M</kbd>
      </button>
      <button
        type="button"
        disabled={!up || told || stays !== ""}
        title={stays === "" ? "Put the caller through to a number" : `No transfer: ${stays}`}
        aria-description={stays}
        onClick={putThrough}
      >
        Transfer <kbd aria-hidden="true">X</kbd>
      </button>
      <button
        type="button"
        disabled={!up || !may("talk") || told}
        title="Ask a colleague, tell them about the call, then connect them"
        onClick={() => setAsked("warm")}
      >
        Warm transfer <kbd aria-hidden="true">W</kbd>
      </button>
      <span class="push" />
      <button type="button" onClick={leave}>
        Leave
      </button>
      <button type="button" class="danger" disabled={!up} onClick={() => setAsked("end")}>
        End call <kbd aria-hidden="true">E</kbd>
      </button>
      {asked === "transfer" && (
        <Ask
          title="Transfer this call"
          note="The caller is put through to this number, and the call ends here for everybody. Tell the caller first."
          label="Phone number or sip: address"
          short
          send="Transfer"
          answer={(to) => desk.send({ type: "transfer", to })}
          close={() => setAsked(null)}
        />
      )}
      {asked === "warm" && (
        <WarmAsk callId={desk.state.value.callId} ask={(wish) => desk.send(wish)} close={() => setAsked(null)} />
      )}
      {asked === "end" && (
        <Ask
          title="End this call?"
          note="The caller is hung up on, for everybody."
          send="End the call"
          danger
          answer={() => desk.send({ type: "end" })}
          close={() => setAsked(null)}
        />
      )}
    </div>
  );
}
