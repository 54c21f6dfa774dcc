// A caller's sentiment: a small line with words, so that nothing hangs on colour. Draws only.

import type { Sentiment } from "../../desk/wire";
import { emotionWord, moodSentence, points, scoreWord, trendWord } from "../../floor/mood";

const WIDTH = 96;
const HEIGHT = 26;

export function Mood({ sentiment }: { sentiment: Sentiment }) {
  const { sign, word } = trendWord(sentiment.trend);
  return (
    <div class="mood" role="group" aria-label={moodSentence(sentiment)}>
      <Line scores={sentiment.scores} width={WIDTH} height={HEIGHT} />
      <span aria-hidden="true">
        <b>{emotionWord(sentiment.emotion)}</b> <span class="figure">{scoreWord(sentiment.score)}</span>{" "}
        <span class="quiet">
          {sign} {word}
        </span>
      </span>
    </div>
  );
}

/** Scores from −1, at the bottom, to 1; the middle is dashed, the last one has a dot. */
export function Line({ scores, width, height }: { scores: readonly number[]; width: number; height: number }) {
  const drawn = points(scores, width, height);
  const [x, y] = (drawn.split(" ").at(-1) ?? "0,0").split(",");
  return (
    <svg class="mood-line" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <line x1="0" x2={width} y1={height / 2} y2={height / 2} />
      <polyline points={drawn} />
      <circle cx={x} cy={y} r="2.6" />
    </svg>
  );
}
