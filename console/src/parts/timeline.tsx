// The timeline of a call's events, in media time.

import type { TimelineEvent } from "../api";
import { emotionWord, scoreWord } from "../floor/mood";
import { clock, eventWord, sentenceCase } from "../words";

export function Timeline({ events }: { events: readonly TimelineEvent[] }) {
  if (events.length === 0) return <p class="quiet">No events yet.</p>;
  return (
    <ol class="timeline" tabIndex={0} aria-label="Events of the call">
      {events.map((event) => (
        <li key={event.seq} class={event.kind}>
          <span class="time">{clock(event.media_ms, true)}</span>
          <span class="event">{eventWord(event.kind)}</span>
          <span class="detail" dir="auto">
            {detail(event)}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** What an event is about, in a few words; its own fields where it is not known here. */
export function detail(event: TimelineEvent): string {
  switch (event.kind) {
    case "speech_started":
    case "speech_ended":
      return sentenceCase(String(event.leg));
    case "transcript_final":
      return `${sentenceCase(String(event.leg))}: ${String(event.text)}`;
    case "turn_timed":
      return `Turn ${String(event.turn)}: first audio after ${String(event.first_audio_ms)} ms`;
    case "interrupted":
    case "interruption_resumed":
      return `Turn ${String(event.turn)}`;
    case "notice":
    case "text_received":
      return String(event.text);
    case "dtmf":
      return String(event.digit);
    case "call_started":
      return `${sentenceCase(String(event.direction))}, ${String(event.channel)}, to ${String(event.agent)}`;
    case "call_ended":
      return sentenceCase(String(event.reason));
    case "leg_joined":
      return `${String(event.name)}, ${sentenceCase(String(event.leg)).toLowerCase()}: ${String(event.stance).replaceAll("_", " ")}`;
    case "leg_left":
      return event.lost === true ? `${sentenceCase(String(event.leg))}: connection lost` : sentenceCase(String(event.leg));
    case "stance":
      return sentenceCase(String(event.stance));
    case "mode":
      return sentenceCase(String(event.mode));
    case "instructed":
    case "said_for":
      return String(event.text || event.clip);
    case "coaching_card":
      return `${sentenceCase(String(event.intent))}: ${String(event.recommended_response)}`;
    case "risk":
      return `${sentenceCase(String(event.warning_level))}: ${String(event.warning || sentenceCase(String(event.intent)))}`;
    case "card":
      return sentenceCase(String(event.status));
    case "entity":
      return `${sentenceCase(String(event.type))}: ${String(event.value)}`;
    case "sentiment":
      return `Turn ${String(event.turn)}: ${emotionWord(String(event.emotion))}, ${scoreWord(Number(event.turn_score))}`;
    case "alert":
      return `${String(event.rule)}: ${String(event.text)}`;
    case "transferred":
      return `To ${String(event.to)}, by ${String(event.name)}`;
    case "route":
      return `To ${String(event.target)}${event.rule ? `, rule ${String(event.rule)}` : ""}: ${String(event.why)}`;
    case "handed_over":
      return `${String(event.source)} → ${String(event.target)}${event.voice_changed === true ? ", another voice" : ""}`;
    case "queued":
      return `${String(event.queue)}, number ${String(event.position)} in line${event.again === true ? ", again" : ""}`;
    case "queue_rang":
      return String(event.name);
    case "queue_missed":
      return sentenceCase(String(event.why));
    case "unqueued":
      return `${sentenceCase(String(event.outcome))} after ${clock(Number(event.waited_ms))}${event.target ? `, to ${String(event.target)}` : ""}`;
    case "consult":
      return `${sentenceCase(String(event.state))}${event.name ? `: ${String(event.name)}` : ""}${event.why ? `, ${String(event.why)}` : ""}`;
    case "consult_briefing": {
      const { summary, reason } = (event.card ?? {}) as { summary?: string; reason?: string };
      return summary || reason || String(event.source);
    }
    case "consult_said":
      return `${event.human === true ? "Asked" : "Told"}: ${String(event.text)}`;
    case "call_back_asked":
      return String(event.number);
    case "wrapped_up":
      return `${sentenceCase(String(event.disposition))}, ${String(event.name)}`;
    case "tool_called":
      return `${String(event.name)}(${JSON.stringify(event.arguments)}) → ${String(event.result)}`;
    default:
      return Object.entries(event)
        .filter(([name]) => !["kind", "seq", "media_ms", "call_id"].includes(name))
        .map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
        .join(", ");
  }
}
