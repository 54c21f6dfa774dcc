// The keypad: twelve keys that send telephone digits.

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const NAMES: Record<string, string> = { "*": "star", "#": "hash" };

export function Keypad({ press }: { press: (digit: string) => void }) {
  return (
    <div class="keypad" role="group" aria-label="Keypad" dir="ltr">
      {KEYS.map((key) => (
        <button type="button" key={key} aria-label={NAMES[key] ?? key} onClick={() => press(key)}>
          {key}
        </button>
      ))}
    </div>
  );
}
