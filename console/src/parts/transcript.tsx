// The transcript of a kept call: time, speaker, words; what was cut off is struck through. Click a line to hear it.

import type { TurnRecord } from "../api";
import { type TurnMood, emotionWord, scoreWord } from "../floor/mood";
import { clock, languageName, sentenceCase } from "../words";

export interface TranscriptProps {
  turns: readonly TurnRecord[];
  positionMs: number;
  seek: ((ms: number) => void) | null;
  /** How the caller felt, by turn. */
  moods?: ReadonlyMap<number, TurnMood>;
}

export function Transcript({ turns, positionMs, seek, moods }: TranscriptProps) {
  if (turns.length === 0) return <p class="quiet">Nothing was said in this call.</p>;
  const several = new Set(turns.map((turn) => turn.language).filter((language) => language !== "")).size > 1;
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
            <Words
              text={turn.text}
              unheard={turn.unheard}
              interrupted={turn.interrupted}
              language={turn.language}
              named={several}
            />
            {turn.leg === "caller" && <Felt mood={moods?.get(turn.turn)} />}
          </li>
        );
      })}
    </ol>
  );
}

/** Turns that tell something; the rest would be noise. */
function Felt({ mood }: { mood: TurnMood | undefined }) {
  if (mood === undefined || (mood.emotion === "calm" && Math.abs(mood.score) < 0.3)) return null;
  return (
    <span class={`tag felt ${mood.score < 0 ? "ill" : "well"}`} title={mood.voice || undefined}>
      {emotionWord(mood.emotion)} <span class="figure">{scoreWord(mood.score)}</span>
    </span>
  );
}

interface Said {
  text: string;
  unheard: string;
  interrupted: boolean;
  language?: string;
  /** Whether the language is shown, as in calls of more than one. */
  named?: boolean;
}

/** A turn's words, with what was not heard struck through and an interruption named. */
export function Words({ text, unheard, interrupted, language = "", named = false }: Said) {
  return (
    <span class="words" dir="auto" lang={language || undefined}>
      {text}
      {unheard !== "" && (
        <>
          {" "}
          <s class="unheard" title="Not heard by the caller">
            {unheard}
          </s>
        </>
      )}
      {interrupted && (
        <span class="tag" lang="en">
          interrupted
        </span>
      )}
      {named && language !== "" && (
        <span class="tag language" lang="en">
          {languageName(language)}
        </span>
      )}
    </span>
  );
}
