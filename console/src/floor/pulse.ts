// Notices that a socket's other end is gone although nothing was closed: a network that changed, a machine that slept.

const BEAT_MS = 5_000;
/** So many pings in a row may stay without any answer. */
const MOST_MISSED = 2;

/** Asks by `ping` and counts beats, not seconds: a page in the background has few of them. */
export class Pulse {
  private missed = 0;
  private readonly timer: number;

  constructor(
    private readonly socket: WebSocket,
    private readonly lost: () => void,
  ) {
    this.timer = window.setInterval(() => this.beat(), BEAT_MS);
  }

  /** Something came. */
  heard(): void {
    this.missed = 0;
  }

  stop(): void {
    window.clearInterval(this.timer);
  }

  private beat(): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.missed >= MOST_MISSED) {
      this.stop();
      this.lost();
      return;
    }
    this.missed += 1;
    this.socket.send(JSON.stringify({ type: "ping", t: Math.round(performance.now()) }));
  }
}
