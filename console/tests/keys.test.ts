import { describe, expect, it } from "vitest";
import { commandFor, plainKey } from "../src/keys";

const press = (part: Partial<KeyboardEvent>) => ({ key: "", code: "", target: null, ...part }) as KeyboardEvent;
const on = (...selectors: string[]) =>
  ({ closest: (wanted: string) => (selectors.some((one) => wanted.includes(one)) ? {} : null) }) as unknown as EventTarget;

describe("one-key commands", () => {
  const listen = () => undefined;
  const enter = () => undefined;
  const keys = { l: listen, Enter: enter };

  it("are letters in small, and names", () => {
    expect(commandFor(press({ key: "L", code: "KeyL" }), keys)).toBe(listen);
    expect(commandFor(press({ key: "Enter", code: "Enter" }), keys)).toBe(enter);
    expect(commandFor(press({ key: "q", code: "KeyQ" }), keys)).toBeNull();
  });

  it("are where they stand on a keyboard of other letters", () => {
    expect(plainKey(press({ key: "\u0645", code: "KeyL" }))).toBe("l"); // Arabic
    expect(plainKey(press({ key: "\u0644\u0627", code: "KeyB" }))).toBe("b"); // Arabic: two letters on one key
    expect(plainKey(press({ key: "\u0434", code: "KeyL" }))).toBe("l"); // Russian
    expect(plainKey(press({ key: "a", code: "KeyQ" }))).toBe("a"); // French: by the letter
    expect(plainKey(press({ key: "5", code: "Digit5" }))).toBe("5");
  });

  it("are none while somebody types, with a modifier, or held down", () => {
    for (const target of ["input", "textarea", "select", "dialog"]) {
      expect(commandFor(press({ key: "l", target: on(target) }), keys)).toBeNull();
    }
    expect(commandFor(press({ key: "l", ctrlKey: true }), keys)).toBeNull();
    expect(commandFor(press({ key: "l", repeat: true }), keys)).toBeNull();
    expect(commandFor(press({ key: "Enter", target: on("button") }), keys)).toBeNull();
    expect(commandFor(press({ key: "l", target: on("button") }), keys)).toBe(listen);
  });
});
