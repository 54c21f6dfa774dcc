// An operator of a live call on Offhook's `/ws/live` (docs/desk.md), for Node 22 or later and for browsers.
//
//   node examples/live_operator.js ws://127.0.0.1:8080 test123 operator listen
//
// In a page, import { LiveCall }, give `play` your player (24, 48 … kHz are fine: set `sampleRate`), and call
// `speak(Int16Array)` with 20 ms pieces of your microphone.

export class LiveCall {
  /**
   * @param {string} server such as "ws://127.0.0.1:8080"
   * @param {{callId: string, role?: string, stance?: string, token?: string, sampleRate?: number}} options
   * @param {{play?: (samples: Int16Array) => void, tell?: (message: object) => void, end?: (code: number) => void}} on
   */
  constructor(server, options, on = {}) {
    const query = new URLSearchParams({
      call_id: options.callId,
      role: options.role ?? "operator",
      sample_rate: String(options.sampleRate ?? 16000),
      audio: "binary",
    });
    if (options.stance) query.set("stance", options.stance);
    if (options.token) query.set("token", options.token);
    this.socket = new WebSocket(`${server}/ws/live?${query}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) on.play?.(new Int16Array(data));
      else on.tell?.(JSON.parse(data));
    };
    this.socket.onclose = ({ code }) => on.end?.(code);
    this.socket.onerror = () => {}; // a close follows
  }

  /** 20 to 100 ms of the microphone. */
  speak(samples) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(samples);
  }

  /** Any message of docs/desk.md, such as send("stance", { stance: "take_over" }); false while not connected. */
  send(type, fields = {}) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify({ type, ...fields }));
    return true;
  }

  takeOver() {
    this.send("stance", { stance: "take_over" });
  }

  handBack() {
    this.send("hand_back");
  }

  say(text) {
    this.send("say", { text });
  }

  leave() {
    this.send("leave");
  }
}

const isProgram = typeof process !== "undefined" && import.meta.url.endsWith(process.argv[1]?.split("/").pop() ?? "?");
const PIECE = 320; // samples: 20 ms at 16 kHz

/** A tone as a microphone gives it: as much of it as time has passed, for a timer is never exact. */
function toneOf(call, hertz) {
  const began = performance.now();
  let sent = 0;
  return setInterval(() => {
    const due = ((performance.now() - began) / 1000) * 16000;
    for (; sent + PIECE <= due; sent += PIECE) {
      const at = (index) => Math.sin((2 * Math.PI * hertz * (sent + index)) / 16000);
      call.speak(Int16Array.from({ length: PIECE }, (_, index) => 6000 * at(index)));
    }
  }, 20);
}

function print(message) {
  const people = (seats) => seats.map((one) => `${one.name}: ${one.stance}${one.muted ? ", muted" : ""}`).join("; ");
  switch (message.type) {
    case "joined":
    case "mode":
      return console.log(`[${message.mode}] ${people(message.seats)}`);
    case "transcript":
      return message.final && console.log(`${message.speaker}: ${message.text}`);
    case "ai_coaching":
      return console.log(`coach: ${message.text}`);
    case "error":
      return console.log(`error: ${message.reason}`);
  }
}

if (isProgram) {
  if (typeof WebSocket === "undefined") {
    console.error("This needs Node 22 or later, which has WebSocket built in.");
    process.exit(2);
  }
  const [server = "ws://127.0.0.1:8080", callId = "test123", role = "operator", stance = "", seconds = "0"] =
    process.argv.slice(2);
  let heard = 0;
  const ended = (code) => {
    const why = code === 1006 ? " (no server there, or it refused: see docs/desk.md on who may)" : "";
    console.log(`closed with ${code}${why}, heard ${(heard / 16000).toFixed(1)} s`);
    process.exit(code === 1000 ? 0 : 1);
  };
  const on = { play: (samples) => (heard += samples.length), tell: print, end: ended };
  const call = new LiveCall(server, { callId, role, stance }, on);
  toneOf(call, 880);
  if (Number(seconds)) setTimeout(() => call.leave(), Number(seconds) * 1000);
}
