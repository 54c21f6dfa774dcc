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

  /** Any message of docs/desk.md, such as send("stance", { stance: "take_over" }). */
  send(type, fields = {}) {
    this.socket.send(JSON.stringify({ type, ...fields }));
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

if (isProgram) {
  const [server = "ws://127.0.0.1:8080", callId = "test123", role = "operator", stance = "", seconds = "0"] =
    process.argv.slice(2);
  let heard = 0;
  const call = new LiveCall(
    server,
    { callId, role, stance },
    {
      play: (samples) => (heard += samples.length),
      tell: (message) => {
        if (message.type === "joined" || message.type === "mode") console.log(`[${message.mode}]`, message.seats);
        if (message.type === "transcript" && message.final) console.log(`${message.speaker}: ${message.text}`);
        if (message.type === "ai_coaching") console.log(`coach: ${message.text}`);
        if (message.type === "error") console.log(`error: ${message.reason}`);
      },
      end: (code) => {
        console.log(`closed with ${code}, heard ${(heard / 16000).toFixed(1)} s`);
        process.exit(0);
      },
    },
  );
  let at = 0;
  setInterval(() => {
    const tone = Int16Array.from({ length: 320 }, (_, index) => 6000 * Math.sin((2 * Math.PI * 880 * (at + index)) / 16000));
    at += 320;
    call.speak(tone);
  }, 20);
  if (Number(seconds)) setTimeout(() => call.leave(), Number(seconds) * 1000);
}
