// The other party of a two-browser call (`/live?role=caller`): a microphone, the talk, a way to hang up.

import { useState } from "preact/hooks";
import type { DeskCall } from "../desk/desk-call";
import { seated, sit } from "../desk/seated";
import { useKeys } from "../keys";
import { Meter } from "../parts/meter";
import { endWord } from "../words";

export function LiveCaller({ id }: { id: string }) {
  const desk = seated.value;
  if (desk === null) return <Start id={id} />;
  return <Call desk={desk} />;
}

function Start({ id }: { id: string }) {
  return (
    <section class="front">
      <h1>Join the call</h1>
      <p>{id === "" ? "The address names no call." : "Speak as on the telephone."}</p>
      <button
        type="button"
        class="start"
        disabled={id === ""}
        onClick={() => void sit({ callId: id, stance: "join", role: "caller" })}
      >
        Start the call
      </button>
      <p class="quiet">Your browser will ask for the microphone. The call may be recorded.</p>
    </section>
  );
}

const SIGNS = {
  connecting: { look: "wait", word: "Connecting", sentence: "The call is being set up." },
  up: { look: "listen", word: "In the call", sentence: "You can be heard." },
  lost: { look: "bad", word: "Reconnecting", sentence: "The connection was lost; nobody hears you." },
  over: { look: "over", word: "Call ended", sentence: "" },
};

function Call({ desk }: { desk: DeskCall }) {
  const { link, lines, notice, ending } = desk.state.value;
  const [levels] = useState(() => ({
    own: () => desk.headset?.ownLevel ?? -90,
    ear: () => desk.headset?.earLevel ?? -90,
  }));
  useKeys({ m: desk.toggleMute, Escape: desk.hangUp });
  const sign = SIGNS[link];
  const muted = desk.muted.value || !desk.microphone.value;
  const sentence = link === "over" ? endWord(ending) : link === "up" && muted ? "You cannot be heard." : sign.sentence;
  return (
    <div class="phone">
      <section class="card panel" aria-label="Call">
        <div class={`state ${sign.look}${link === "up" && muted ? " is-muted" : ""}`}>
          <span class="shape" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <div role="status" aria-live="polite">
            <strong class="state-word">{link === "up" && muted ? "Muted" : sign.word}</strong>
            <span class="state-sentence">{sentence}</span>
          </div>
        </div>
        {notice !== "" && (
          <p class="banner" role="alert" dir="auto">
            {notice}
          </p>
        )}
        {link !== "over" && (
          <>
            <div class="meters">
              <Meter label="You" tone="--caller" level={levels.own} />
              <Meter label="They" tone="--agent" level={levels.ear} />
            </div>
            <div class="controls">
              <button type="button" aria-pressed={desk.muted.value} disabled={!desk.microphone.value} onClick={desk.toggleMute}>
                {desk.muted.value ? "Unmute" : "Mute"} <kbd aria-hidden="true">M</kbd>
              </button>
              <button type="button" class="danger" onClick={desk.hangUp}>
                Hang up <kbd aria-hidden="true">Esc</kbd>
              </button>
            </div>
          </>
        )}
      </section>
      <section class="card conversation" aria-label="Conversation">
        <div class="live-transcript" tabIndex={0} role="region" aria-label="Transcript">
          {lines.map((line) => (
            <p key={line.key} class={`line ${line.speaker}${line.final ? "" : " partial"}`}>
              <span class="speaker">{line.speaker === "caller" ? "You" : line.speaker === "agent" ? "AI" : "Operator"}</span>
              <span class="words" dir="auto" lang={line.language || undefined}>
                {line.text}
              </span>
            </p>
          ))}
        </div>
      </section>
    </div>
  );
}
