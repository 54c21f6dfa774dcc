// One coaching card: what the caller wants, what to beware of, what to say, and whose voice says it.

import { useEffect, useState } from "preact/hooks";
import { countdown } from "../../desk/cards";
import type { DeskCall } from "../../desk/desk-call";
import type { Coaching } from "../../desk/wire";
import { useKeys } from "../../keys";
import { languageName, sentenceCase } from "../../words";

interface Props {
  card: Coaching;
  desk: DeskCall;
  /** Milliseconds for which it is of use. */
  left: number;
  /** Whether somebody writes in it: it must not go from under their hands. */
  written: (on: boolean) => void;
}

export function CoachCard({ card, desk, left, written }: Props) {
  const [rated, setRated] = useState("");
  const act = (action: "play" | "stop" | "used" | "dismissed" | "say" | "feedback", value?: string) =>
    desk.send({ type: "card", id: card.id, action, ...(value === undefined ? {} : { value }) });
  const rate = (value: string) => {
    if (act("feedback", value)) setRated(value);
  };
  const off = desk.state.value.link !== "up";
  const playing = card.status === "playing";
  return (
    <article
      class={`coach-card ${card.warning_level}`}
      aria-live="polite"
      tabIndex={-1}
      onFocusIn={(event) => event.target instanceof HTMLTextAreaElement && written(true)}
      onFocusOut={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && written(false)}
    >
      <header>
        <strong class="intent">{sentenceCase(card.intent)}</strong>
        <Confidence value={card.confidence} />
        <span class="quiet">{statusWord(card)}</span>
        <span class="figure quiet" title="Of use for" role="timer">
          {countdown(left)}
        </span>
      </header>
      {card.warning_level !== "none" && (
        <p class={`warning ${card.warning_level}`} role="alert" dir="auto">
          <b>{sentenceCase(card.warning_level)} risk</b> <bdi>{card.warning}</bdi>
        </p>
      )}
      {card.strategy !== "" && (
        <p class="strategy" dir="auto">
          {card.strategy}
        </p>
      )}
      <Response card={card} off={off} say={(text) => act("say", text)} />
      <div class="card-buttons">
        <button type="button" disabled={off} aria-pressed={playing} onClick={() => act(playing ? "stop" : "play")}>
          {playing ? "■ Stop" : "▶ In my ear"} <kbd aria-hidden="true">P</kbd>
        </button>
        <button type="button" disabled={off} onClick={() => act("used")}>
          I said it
        </button>
        <button type="button" disabled={off} onClick={() => act("dismissed")}>
          Dismiss <kbd aria-hidden="true">D</kbd>
        </button>
      </div>
      {card.suggestions.length > 0 && (
        <ul class="suggestions" aria-label="Other things to say">
          {card.suggestions.map((line) => (
            <li key={line}>
              <span dir="auto">{line}</span>
              <button type="button" class="small" disabled={off} aria-label={`Say to the caller: ${line}`} onClick={() => act("say", line)}>
                ▶ Say it
              </button>
            </li>
          ))}
        </ul>
      )}
      {card.reasoning !== "" && (
        <details>
          <summary>Why</summary>
          <p dir="auto">{card.reasoning}</p>
        </details>
      )}
      <div class="feedback" role="group" aria-label="Was this advice right?">
        {["helpful", "wrong"].map((value) => (
          <button
            key={value}
            type="button"
            class="small"
            aria-pressed={rated === value}
            disabled={off || rated !== ""}
            onClick={() => rate(value)}
          >
            {sentenceCase(value)}
          </button>
        ))}
        {card.language !== undefined && card.language !== "" && <span class="quiet">{languageName(card.language)}</span>}
      </div>
    </article>
  );
}

/** The recommended words, to be changed before the AI's voice says them to the caller. */
function Response({ card, off, say }: { card: Coaching; off: boolean; say: (text: string) => boolean }) {
  const [text, setText] = useState(card.recommended_response);
  useEffect(() => setText(card.recommended_response), [card.recommended_response]);
  const sayIt = () => {
    if (!off && text.trim() !== "") say(text.trim());
  };
  useKeys({ r: sayIt });
  if (card.recommended_response === "") return null;
  return (
    <form
      class="response-box"
      onSubmit={(event) => {
        event.preventDefault();
        sayIt();
      }}
    >
      <label>
        <span>Say this</span>
        <textarea
          rows={3}
          dir="auto"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.closest("article")?.focus()}
        />
      </label>
      <button type="submit" class="primary" disabled={off}>
        ▶ Say to the caller <kbd aria-hidden="true">R</kbd>
      </button>
    </form>
  );
}

function Confidence({ value }: { value: number }) {
  const percent = Math.round(value * 100);
  return (
    <span class="confidence" title={`Confidence ${percent} %`}>
      <span class="track" aria-hidden="true">
        <i style={{ transform: `scaleX(${value})` }} />
      </span>
      <span class="figure">{percent} %</span>
    </span>
  );
}

function statusWord({ status, recommended_audio }: Coaching): string {
  if (status === "playing") return "in your ear now";
  if (status === "queued") return "waits to be spoken";
  return recommended_audio ? "" : "text";
}
