// What is said in a room, as lines.

import { describe, expect, it } from "vitest";
import { type RoomLine, withLine } from "../src/rooms/lines";

const line = (key: string, text: string, final = false): RoomLine => ({
  key,
  who: "alice",
  name: "Alice",
  text,
  final,
  typed: false,
});

describe("lines of a room", () => {
  it("come after one another, and grow in place", () => {
    const lines = withLine(withLine(withLine([], line("a", "What")), line("b", "Hello")), line("a", "What is it?", true));
    expect(lines.map(({ text }) => text)).toEqual(["What is it?", "Hello"]);
  });

  it("do not change once they are final", () => {
    const said = withLine([], line("a", "Done.", true));
    expect(withLine(said, line("a", "Do"))).toEqual(said);
  });

  it("are so many, and no more", () => {
    let lines: RoomLine[] = [];
    for (let number = 0; number < 600; number++) lines = withLine(lines, line(`${number}`, "x", true));
    expect(lines.length).toBe(500);
    expect(lines[0]?.key).toBe("100");
  });
});
