// The latency waterfall: for every answered turn, where the time went, and the gap that was really heard.

import type { TurnRecord, Waterfall as Parts } from "../api";
import { latency } from "../words";

const STAGES: { key: keyof Parts; name: string; tone: string }[] = [
  { key: "endpoint_ms", name: "End of turn noticed", tone: "endpoint" },
  { key: "transcript_ms", name: "Words known", tone: "transcript" },
  { key: "first_token_ms", name: "Reply begun", tone: "token" },
  { key: "first_audio_ms", name: "First audio", tone: "audio" },
];

const QUARTERS = [100, 150, 200, 250, 300, 400, 500, 750, 1000, 1500, 2000];

export interface Bar {
  tone: string;
  name: string;
  from: number;
  to: number;
}

/** The stages as bars in ms since the caller's end of speech; a stage never ends before the one before. */
export function bars(parts: Parts): Bar[] {
  let from = 0;
  return STAGES.map(({ key, name, tone }) => {
    const to = Math.max(from, parts[key]);
    const bar = { tone, name, from, to };
    from = to;
    return bar;
  });
}

/** A round number of ms that holds every bar and mark. */
export function scale(turns: readonly TurnRecord[]): number {
  const longest = Math.max(...turns.map((turn) => Math.max(turn.waterfall?.first_audio_ms ?? 0, turn.gap_ms ?? 0)));
  const quarter = QUARTERS.find((step) => step * 4 >= longest * 1.04);
  return 4 * (quarter ?? Math.ceil(longest / 4000) * 1000);
}

interface Props {
  turns: readonly TurnRecord[];
  seek: (ms: number) => void;
}

export function Waterfall({ turns, seek }: Props) {
  const timed = turns.filter((turn) => turn.waterfall !== null || turn.gap_ms !== null);
  if (timed.length === 0) return <p class="quiet">No reply of the agent was timed in this call.</p>;
  const longest = scale(timed);
  return (
    <>
      <ul class="legend" aria-hidden="true">
        {STAGES.map((stage) => (
          <li key={stage.tone}>
            <i class={stage.tone} />
            {stage.name}
          </li>
        ))}
        <li>
          <i class="gap" />
          Gap measured in the recording
        </li>
      </ul>
      <ol class="waterfall">
        {timed.map((turn) => (
          <Row key={`${turn.leg}-${turn.turn}`} turn={turn} longest={longest} seek={seek} />
        ))}
      </ol>
      <div class="waterfall-scale" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <span key={part}>{latency(longest * part)}</span>
        ))}
      </div>
    </>
  );
}

function Row({ turn, longest, seek }: { turn: TurnRecord; longest: number; seek: Props["seek"] }) {
  const parts = turn.waterfall === null ? [] : bars(turn.waterfall);
  const percent = (ms: number) => `${(ms / longest) * 100}%`;
  const spoken = [
    ...parts.map((bar) => `${bar.name.toLowerCase()} after ${bar.to} ms`),
    ...(turn.gap_ms === null ? [] : [`measured gap ${turn.gap_ms} ms`]),
  ].join(", ");
  return (
    <li>
      <button type="button" class="plain" onClick={() => seek(turn.started_ms)} title="Listen from here">
        Turn {turn.turn}
      </button>
      <svg role="img" aria-label={`Turn ${turn.turn}: ${spoken}`}>
        {parts.map((bar) => (
          <rect key={bar.tone} class={bar.tone} x={percent(bar.from)} width={percent(bar.to - bar.from)} y="5" height="14">
            <title>{`${bar.name}: ${bar.to} ms (+${bar.to - bar.from} ms)`}</title>
          </rect>
        ))}
        {turn.gap_ms !== null && (
          <line class="gap" x1={percent(turn.gap_ms)} x2={percent(turn.gap_ms)} y1="0" y2="24">
            <title>{`Measured in the recording: ${turn.gap_ms} ms`}</title>
          </line>
        )}
      </svg>
      <span class="figure">{latency(turn.gap_ms ?? turn.waterfall?.first_audio_ms)}</span>
    </li>
  );
}
