// The text box of a call: one line at a time, Enter sends.

import { useState } from "preact/hooks";

const LONGEST = 2000;

interface Props {
  disabled: boolean;
  /** Send a line; false when it could not be sent (it then stays in the box). */
  say: (text: string) => boolean;
}

export function Composer({ disabled, say }: Props) {
  const [text, setText] = useState("");
  const send = (event: Event) => {
    event.preventDefault();
    const line = text.trim();
    if (line !== "" && say(line)) setText("");
  };
  return (
    <form class="composer" onSubmit={send}>
      <input
        type="text"
        aria-label="Type to the agent"
        placeholder="Type to the agent"
        dir="auto"
        autocomplete="off"
        enterkeyhint="send"
        maxLength={LONGEST}
        value={text}
        disabled={disabled}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" disabled={disabled || text.trim() === ""}>
        Send
      </button>
    </form>
  );
}
