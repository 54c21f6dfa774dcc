// Two boxes to write in: what the AI's voice says to the caller, and what the AI alone reads.

import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import type { DeskCall } from "../../desk/desk-call";

const LONGEST = 1000;

interface Props {
  desk: DeskCall;
  sayBox: RefObject<HTMLTextAreaElement | null>;
  instructBox: RefObject<HTMLTextAreaElement | null>;
}

export function Speak({ desk, sayBox, instructBox }: Props) {
  const up = desk.state.value.link === "up";
  return (
    <div class="speak">
      <Box
        box={sayBox}
        label="Say now"
        hint="The AI's voice says exactly this to the caller"
        keyName="S"
        disabled={!up}
        look="say"
        send={(text) => desk.send({ type: "say", text })}
      />
      <Box
        box={instructBox}
        label="Instruct"
        hint="Only the AI reads this; the caller does not hear it"
        keyName="I"
        disabled={!up}
        look="instruct"
        send={(text) => desk.send({ type: "instruct", text })}
      />
    </div>
  );
}

interface BoxProps {
  box: RefObject<HTMLTextAreaElement | null>;
  label: string;
  hint: string;
  keyName: string;
  look: string;
  disabled: boolean;
  /** False when it could not be sent; it then stays in the box. */
  send: (text: string) => boolean;
}

function Box({ box, label, hint, keyName, look, disabled, send }: BoxProps) {
  const [text, setText] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    const line = text.trim();
    if (line !== "" && send(line)) setText("");
  };
  // The box stays open while the connection is lost: whoever types on would else press the keys of commands.
  const press = (event: KeyboardEvent) => {
    if (event.key === "Escape") box.current?.blur();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  };
  return (
    <form class={`speak-box ${look}`} onSubmit={submit}>
      <label>
        <span>
          {label} <kbd aria-hidden="true">{keyName}</kbd> <small class="quiet">{hint}</small>
        </span>
        <textarea
          ref={box}
          rows={1}
          dir="auto"
          maxLength={LONGEST}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={press}
        />
      </label>
      <button type="submit" disabled={disabled || text.trim() === ""}>
        {label}
      </button>
    </form>
  );
}
