// The coach beside the talk: the card that matters now, those that wait, those that are over.

import { useEffect, useState } from "preact/hooks";
import { countdown, isOpen, remaining, shown } from "../../desk/cards";
import type { DeskCall } from "../../desk/desk-call";
import { talks } from "../../desk/hears";
import { useKeys } from "../../keys";
import { sentenceCase } from "../../words";
import { CoachCard } from "./coach-card";

const SHOWN_BEFORE = 6;

export function CoachPanel({ desk }: { desk: DeskCall }) {
  const now = useMediaTime(desk);
  const { cards, link } = desk.state.value;
  const [written, setWritten] = useState("");
  const { card, waiting } = shown(cards, now, written);
  const past = cards.filter((one) => one.id !== card?.id && (!isOpen(one) || remaining(one, now) <= 0));
  const up = link === "up";
  useKeys({
    n: () => up && desk.send({ type: "coach_now" }),
    p: () => card && desk.send({ type: "card", id: card.id, action: card.status === "playing" ? "stop" : "play" }),
    d: () => card && desk.send({ type: "card", id: card.id, action: "dismissed" }),
  });
  return (
    <section class="card coach" aria-label="Coach">
      <div class="coach-head">
        <h2>Coach</h2>
        <button type="button" class="small" disabled={!up} onClick={() => desk.send({ type: "coach_now" })}>
          Ask now <kbd aria-hidden="true">N</kbd>
        </button>
      </div>
      {card === undefined ? (
        <p class="quiet coach-empty">
          {talks(desk.stance)
            ? "No advice at the moment. After the caller has spoken, it appears here."
            : "The coach advises whoever talks with the caller: join, or take over."}
        </p>
      ) : (
        <CoachCard
          key={card.id}
          card={card}
          desk={desk}
          left={remaining(card, now)}
          written={(on) => setWritten(on ? card.id : "")}
        />
      )}
      {waiting.length > 0 && (
        <>
          <h3>Waiting</h3>
          <ol class="card-queue">
            {waiting.map((one) => (
              <li key={one.id}>
                <span class="intent">{sentenceCase(one.intent)}</span>
                <bdi class="queue-text">{one.recommended_response || one.strategy}</bdi>
                <span class="figure quiet">{countdown(remaining(one, now))}</span>
                <button
                  type="button"
                  class="small"
                  aria-label={`Hear this advice now: ${one.intent}`}
                  onClick={() => desk.send({ type: "card", id: one.id, action: "play" })}
                >
                  ▶ Ear
                </button>
              </li>
            ))}
          </ol>
        </>
      )}
      {past.length > 0 && (
        <details class="card-past">
          <summary>Earlier advice ({past.length})</summary>
          <ol class="card-queue">
            {past
              .slice(-SHOWN_BEFORE)
              .reverse()
              .map((one) => (
                <li key={one.id}>
                  <span class="intent">{sentenceCase(one.intent)}</span>
                  <bdi class="queue-text">{one.recommended_response || one.strategy}</bdi>
                  <span class="quiet">{isOpen(one) ? "expired" : one.status}</span>
                </li>
              ))}
          </ol>
        </details>
      )}
    </section>
  );
}

/** Media time, twice a second: countdowns need no more. */
function useMediaTime(desk: DeskCall): number {
  const [now, setNow] = useState(() => desk.mediaMs);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(desk.mediaMs), 500);
    return () => window.clearInterval(timer);
  }, [desk]);
  return Math.max(now, desk.state.value.clock.mediaMs);
}
