// The strip that says who can hear me: big words, a colour and a shape, told aloud when it changes.

import type { ComponentChildren } from "preact";
import type { DeskCall } from "../../desk/desk-call";
import type { Audience } from "../../desk/hears";

/** One drawing for each tone, so that colour is never the only sign. */
const ICONS: Record<Audience["tone"], string> = {
  private: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3M3 3l18 18",
  muted: "M9 9V6a3 3 0 0 1 6 0v5M5 11a7 7 0 0 0 14 0M12 18v3M2 2l20 20M2 22 22 2",
  caller: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3M21 5q2 3 0 6",
  both: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3M21 5q2 3 0 6M3 5q-2 3 0 6",
  hold: "M8 5v14M16 5v14",
  lost: "M12 3 2 21h20zM12 10v5M12 18v.5",
  over: "M6 6h12v12H6z",
};

interface Props {
  desk: DeskCall;
  small?: boolean;
  children?: ComponentChildren;
}

export function HearsStrip({ desk, small, children }: Props) {
  const { tone, words, detail } = desk.audience;
  return (
    <section class={`hears ${tone}${small ? " compact" : ""}`} aria-label="Who can hear you" data-tone={tone}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={ICONS[tone]} />
      </svg>
      <div role="status" aria-live="assertive" aria-atomic="true">
        <strong>{words}</strong>
        {detail !== "" && <span class="hears-detail">{detail}</span>}
      </div>
      {children}
    </section>
  );
}
