// The seat taken from the floor: who hears me there, and the way into its cockpit. Draws only.

import { seated, stand } from "../../desk/seated";
import { inPlace } from "../../route";
import { HearsStrip } from "../desk/hears-strip";

export function Dock({ name }: { name: string }) {
  const desk = seated.value;
  if (desk === null) return null;
  const { link, callId, notice } = desk.state.value;
  return (
    <section class="dock" aria-label={`Your seat: ${name}`}>
      <HearsStrip desk={desk} small>
        <span class="dock-call">
          <bdi>{name}</bdi>
        </span>
        <a class="button" href={`/desk/${callId}`} onClick={inPlace}>
          Open the cockpit
        </a>
        <button type="button" onClick={stand}>
          {link === "over" ? "Close" : "Leave"} <kbd>Esc</kbd>
        </button>
      </HearsStrip>
      {notice !== "" && (
        <p class="banner" role="alert" dir="auto">
          {notice}
        </p>
      )}
    </section>
  );
}
