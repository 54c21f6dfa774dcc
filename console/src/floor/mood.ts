// How a caller feels, in words and as a line; which alerts are new. Pure.

import type { TimelineEvent } from "../api";
import type { FloorAlert, FloorCall, Sentiment } from "../desk/wire";

const WORDS: Record<string, string> = {
  calm: "Calm",
  pleased: "Pleased",
  excited: "Excited",
  unhappy: "Unhappy",
  tense: "Tense",
  agitated: "Agitated",
  subdued: "Subdued",
};
/** A trend of less a turn is none. */
const STEADY = 0.08;

/** -0.42 as "−0.4", 0.3 as "+0.3". */
export function scoreWord(score: number): string {
  const rounded = Math.round(score * 10) / 10;
  return rounded === 0 ? "0" : `${rounded < 0 ? "−" : "+"}${Math.abs(rounded).toFixed(1)}`;
}

export function trendWord(trend: number): { sign: string; word: string } {
  if (trend <= -STEADY) return { sign: "↘", word: "falling" };
  return trend >= STEADY ? { sign: "↗", word: "rising" } : { sign: "→", word: "steady" };
}

export function emotionWord(emotion: string): string {
  return WORDS[emotion] ?? emotion;
}

/** The whole of it for people who cannot see the line. */
export function moodSentence({ score, trend, emotion }: Sentiment): string {
  return `${emotionWord(emotion)}, sentiment ${scoreWord(score)}, ${trendWord(trend).word}`;
}

/** Scores −1 … 1 as points of a line, "x,y x,y", oldest first; one score is a line of its own length. */
export function points(scores: readonly number[], width: number, height: number): string {
  const pad = 2;
  const shown = scores.length === 1 ? [scores[0]!, scores[0]!] : scores;
  const step = (width - 2 * pad) / Math.max(1, shown.length - 1);
  const y = (score: number) => pad + ((1 - Math.max(-1, Math.min(1, score))) / 2) * (height - 2 * pad);
  return shown.map((score, at) => `${(pad + at * step).toFixed(1)},${y(score).toFixed(1)}`).join(" ");
}

export interface TurnMood {
  score: number;
  emotion: string;
  voice: string;
}

/** By turn of the caller, from a kept call's events. */
export function moodsByTurn(events: readonly TimelineEvent[]): Map<number, TurnMood> {
  const found = new Map<number, TurnMood>();
  for (const event of events) {
    if (event.kind !== "sentiment") continue;
    found.set(Number(event.turn), {
      score: Number(event.turn_score),
      emotion: String(event.emotion),
      voice: voiceSentence(event.voice as Record<string, number> | undefined),
    });
  }
  return found;
}

/** "Voice: 3.1 semitones higher, 4 dB louder, 1.2 times as fast", or nothing. */
export function voiceSentence(voice: Record<string, number> | undefined): string {
  const { pitch_st: pitch, level_db: level, rate } = voice ?? {};
  if (pitch === undefined || level === undefined || rate === undefined) return "";
  const tone = `${Math.abs(pitch).toFixed(1)} semitones ${pitch < 0 ? "lower" : "higher"}`;
  const loud = `${Math.abs(level).toFixed(0)} dB ${level < 0 ? "softer" : "louder"}`;
  return `Voice against the caller's own: ${tone}, ${loud}, ${rate.toFixed(1)} times as fast`;
}

export interface Raised {
  call: FloorCall;
  alert: FloorAlert;
}

/** Alerts that stand now, those of the most needy calls first. */
export function standing(calls: Iterable<FloorCall>): Raised[] {
  return [...calls].flatMap((call) => (call.alerts ?? []).map((alert) => ({ call, alert })));
}

/** Those that nobody was told of yet; `told` then has them. What stood when the page was opened is no news. */
export function news(raised: readonly Raised[], told: Set<string>, first: boolean): Raised[] {
  const fresh = raised.filter(({ alert }) => !told.has(alert.id));
  for (const { alert } of fresh) told.add(alert.id);
  return first ? [] : fresh;
}
