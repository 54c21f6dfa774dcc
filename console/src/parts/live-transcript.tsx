// The transcript while it grows: partial words grey, final ones black, unheard ones struck through.

import { useEffect, useRef } from "preact/hooks";
import type { Line } from "../phone/transcript";
import { Words } from "./transcript";

const NEAR_END = 80;

export function LiveTranscript({ lines }: { lines: readonly Line[] }) {
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
  const latest = lines.filter((line) => line.final && line.speaker === "agent").at(-1);
  return (
    <>
      <div class="live-transcript" ref={box} onScroll={scrolled} tabIndex={0} role="region" aria-label="Transcript">
        {lines.length === 0 && <p class="quiet">What is said will appear here.</p>}
        {lines.map((line) => (
          <p key={line.key} class={`line ${line.speaker}${line.final ? "" : " partial"}`}>
            <span class="speaker">{line.speaker === "caller" ? "You" : "Agent"}</span>
            <Words text={line.text} unheard={line.unheard} interrupted={line.interrupted} />
          </p>
        ))}
      </div>
      <div class="for-screen-readers" aria-live="polite">
        {latest?.text}
      </div>
    </>
  );
}
