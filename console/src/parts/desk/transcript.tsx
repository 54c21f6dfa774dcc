// The talk of all parties while it grows: partials grey, a colour and a name for each, pins where evidence is.

import { useEffect, useRef } from "preact/hooks";
import type { DeskCall } from "../../desk/desk-call";
import { type DeskLine, pinned } from "../../desk/lines";
import type { EntityInfo, SeatInfo } from "../../desk/wire";
import { clock, languageName } from "../../words";
import { speakerWord } from "./words";

const NEAR_END = 80;

export function DeskTranscript({ desk }: { desk: DeskCall }) {
  const { lines, entities, seats, seat } = desk.state.value;
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  useEffect(() => {
    if (follow.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  const scrolled = () => {
    const element = box.current;
    if (element !== null) {
      follow.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
    }
  };
  return (
    <div class="live-transcript" ref={box} onScroll={scrolled} tabIndex={0} role="region" aria-label="Transcript">
      {lines.length === 0 && <p class="quiet">What is said will appear here.</p>}
      {lines.map((line) => (
        <Line key={line.key} line={line} seats={seats} seat={seat} entities={entities} desk={desk} />
      ))}
    </div>
  );
}

interface LineProps {
  line: DeskLine;
  seats: readonly SeatInfo[];
  seat: string;
  entities: readonly EntityInfo[];
  desk: DeskCall;
}

function Line({ line, seats, seat, entities, desk }: LineProps) {
  const mine = line.seat !== "" && line.seat === seat;
  const name = seats.find((one) => one.seat === line.seat)?.name ?? "";
  const found = line.final ? entities.filter((one) => one.turn === line.turn && one.leg === line.speaker) : [];
  const pin = (id: string | null) => {
    const one = found.find((entity) => entity.id === id);
    if (one) desk.send({ type: "pin", id: one.id, pinned: !one.pinned });
  };
  return (
    <p class={`line ${line.speaker}${line.final ? "" : " partial"}${mine ? " mine" : ""}`}>
      <span class="speaker">
        {speakerWord(line.speaker, name, mine)} <span class="time">{clock(line.atMs)}</span>
        {line.language !== "" && line.language !== "en" && <span class="time">{languageName(line.language)}</span>}
      </span>
      <span class="words" dir="auto" lang={line.language || undefined}>
        {pinned(line.text, found).map((piece, at) => {
          const entity = found.find(({ id }) => id === piece.entity);
          if (entity === undefined) return piece.text;
          return (
            <button
              key={at}
              type="button"
              class={`evidence${entity.pinned ? " pinned" : ""}`}
              title={`${entity.kind}: ${entity.value}`}
              aria-pressed={entity.pinned}
              aria-label={`${piece.text}, ${entity.kind}, ${entity.pinned ? "unpin" : "pin as evidence"}`}
              onClick={() => pin(piece.entity)}
            >
              {piece.text}
            </button>
          );
        })}
        {line.unheard !== "" && (
          <>
            {" "}
            <s class="unheard" title="Not heard by the caller">
              {line.unheard}
            </s>
          </>
        )}
        {line.interrupted && <span class="tag">interrupted</span>}
      </span>
    </p>
  );
}
