// The transcript of a kept call: time, speaker, words; what was cut off is struck through. Click a line to hear it.

import type { TurnRecord } from "../api";
import { clock, sentenceCase } from "../words";

interface Props {
  turns: readonly TurnRecord[];
  positionMs: number;
  seek: ((ms: number) => void) | null;
}

export function Transcript({ turns, positionMs, seek }: Props) {
  if (turns.length === 0) return <p class="quiet">Nothing was said in this call.</p>;
  return (
    <ol class="turns">
      {turns.map((turn) => {
        const current = seek !== null && positionMs >= turn.started_ms && positionMs < turn.ended_ms;
        return (
          <li key={`${turn.leg}-${turn.turn}`} class={turn.leg} aria-current={current ? "true" : undefined}>
            <button
              type="button"
              class="plain time"
              disabled={seek === null}
              title="Listen from here"
              onClick={() => seek?.(turn.started_ms)}
            >
              {clock(turn.started_ms)}
            </button>
            <span class="speaker">{sentenceCase(turn.leg)}</span>
            <Words text={turn.text} unheard={turn.unheard} interrupted={turn.interrupted} />
          </li>
        );
      })}
    </ol>
  );
}

/** A turn's words, with what was not heard struck through and an interruption named. */
export function Words({ text, unheard, interrupted }: { text: string; unheard: string; interrupted: boolean }) {
  return (
    <span class="words" dir="auto">
      {text}
      {unheard !== "" && (
        <>
          {" "}
          <s class="unheard" title="Not heard by the caller">
            {unheard}
          </s>
        </>
      )}
      {interrupted && <span class="tag">interrupted</span>}
    </span>
  );
}
