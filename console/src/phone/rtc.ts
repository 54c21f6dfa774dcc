// One call by WebRTC: the offer, the data channel, another way when the way is lost. No levels, no drawing.

import type { CallLink } from "./link";
import { type Downward, type Upward, readMessage } from "./wire";

export const CONNECT_MS = 6_000;
export const RETURN_MS = 10_000;
const GATHER_MS = 300;
const RETRY_MS = 2_000;
const MAX_BUFFERED = 65_536;
const API = "/api/webrtc";

export interface RtcEvents {
  message(message: Downward): void;
  /** The way broke; it comes back until `deadline` (performance.now() time). */
  lost(deadline: number): void;
  /** It is back. */
  found(): void;
  /** The agent's sound is on its way. */
  heard(connection: RTCPeerConnection, remote: MediaStream): void;
  /** It is over, with a sentence saying why. Told once, and never before the call began. */
  closed(sentence: string): void;
}

export interface RtcStart {
  agent: string;
  token: string;
}

interface Answer {
  session: string;
  sdp: string;
}

/** Whether this browser and this server do calls by WebRTC, and the servers between them; null: they do not. */
export async function rtcServers(): Promise<RTCIceServer[] | null> {
  if (typeof RTCPeerConnection === "undefined") return null;
  try {
    const answer = await fetch(API, { credentials: "omit", signal: AbortSignal.timeout(CONNECT_MS) });
    const found = (await answer.json()) as { offered: boolean; ice_servers: RTCIceServer[] };
    return answer.ok && found.offered ? found.ice_servers : null;
  } catch {
    return null;
  }
}

export class RtcLink implements CallLink {
  private offering = false;
  private readonly channel: RTCDataChannel;
  private session = "";
  private deadline = 0;
  private timer = 0;
  private over = false;
  private begun: ((worked: boolean) => void) | null = null;

  private constructor(
    private readonly connection: RTCPeerConnection,
    private readonly events: RtcEvents,
  ) {
    this.channel = connection.createDataChannel("offhook");
    this.channel.onmessage = ({ data }: MessageEvent<string>) => this.received(data);
    connection.ontrack = ({ track }) => this.events.heard(connection, new MediaStream([track]));
    connection.onconnectionstatechange = () => this.changed();
    window.addEventListener("online", this.another);
  }

  /** Place a call; null when it does not come up within CONNECT_MS. `stream` null makes a call without a voice. */
  static async open(
    stream: MediaStream | null,
    servers: RTCIceServer[],
    start: RtcStart,
    events: RtcEvents,
  ): Promise<RtcLink | null> {
    const link = new RtcLink(new RTCPeerConnection({ iceServers: servers, bundlePolicy: "max-bundle" }), events);
    const track = stream?.getAudioTracks()[0];
    if (stream && track) link.connection.addTrack(track, stream);
    else link.connection.addTransceiver("audio", { direction: "recvonly" });
    const worked = new Promise<boolean>((settle) => {
      link.begun = settle;
      window.setTimeout(() => settle(false), CONNECT_MS);
    });
    const offered = link.offer({}, { ...start }).catch(() => link.begun?.(false));
    const [up] = await Promise.all([worked, Promise.race([offered, worked])]);
    link.begun = null;
    if (up) return link;
    link.leave();
    return null;
  }

  send(message: Upward): boolean {
    if (this.channel.readyState !== "open" || this.channel.bufferedAmount > MAX_BUFFERED) return false;
    this.channel.send(JSON.stringify(message));
    return true;
  }

  end(): void {
    if (this.send({ type: "end" })) this.finish();
    else this.leave();
  }

  giveUp(): void {
    this.lose();
  }

  // The offer, and the next ones.

  private async offer(options: RTCOfferOptions, more: object): Promise<void> {
    const connection = this.connection;
    await connection.setLocalDescription(await connection.createOffer(options));
    await gathered(connection);
    const answer = await fetch(`${API}/offer`, {
      method: "POST",
      credentials: "omit",
      signal: AbortSignal.timeout(CONNECT_MS),
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ type: "offer", sdp: connection.localDescription?.sdp ?? "", ...more }),
    });
    if (!answer.ok) throw new Error(`the offer was answered with ${answer.status}`);
    const { session, sdp } = (await answer.json()) as Answer;
    this.session = session;
    if (this.over) return this.tellLeft();
    await connection.setRemoteDescription({ type: "answer", sdp });
  }

  private received(data: string): void {
    const message = readMessage(data);
    if (message === null || this.over) return;
    if (message.type === "started") this.begun?.(true);
    if (message.type === "ended") this.finish();
    this.events.message(message);
  }

  // A way that is lost.

  private changed(): void {
    const state = this.connection.connectionState;
    if (this.over) return;
    if (this.begun !== null) {
      if (state === "failed" || state === "closed") this.begun(false);
    } else if (state === "connected") {
      this.find();
    } else if (state === "disconnected" || state === "failed") {
      this.lose();
    } else if (state === "closed") {
      this.close("The call has ended.");
    }
  }

  private lose(): void {
    if (this.over || this.deadline !== 0) return;
    this.deadline = performance.now() + RETURN_MS;
    this.events.lost(this.deadline);
    this.another();
  }

  /** Whether it has come back since another way was offered; else another one is. */
  private readonly look = (): void => {
    if (!this.offering && this.connection.connectionState === "connected") this.find();
    else this.another();
  };

  private find(): void {
    window.clearTimeout(this.timer);
    if (this.deadline === 0) return;
    this.deadline = 0;
    this.events.found();
  }

  /** Offer another way, again and again until one is found or the time is up. */
  private readonly another = (): void => {
    window.clearTimeout(this.timer);
    if (this.over || this.deadline === 0) return;
    if (performance.now() >= this.deadline) {
      this.close("The connection was lost and did not come back in time.");
      return;
    }
    if (!this.offering) {
      this.offering = true;
      void this.offer({ iceRestart: true }, { session: this.session })
        .catch(() => null) // the next try may get through
        .finally(() => {
          this.offering = false;
        });
    }
    this.timer = window.setTimeout(this.look, RETRY_MS);
  };

  private close(sentence: string): void {
    this.finish();
    this.events.closed(sentence);
  }

  private leave(): void {
    this.finish();
    this.tellLeft();
  }

  /** The server need not wait for what is not coming back. */
  private tellLeft(): void {
    if (this.session === "") return;
    void fetch(`${API}/${this.session}`, { method: "DELETE", credentials: "omit", keepalive: true }).catch(() => null);
  }

  private finish(): void {
    this.over = true;
    window.clearTimeout(this.timer);
    window.removeEventListener("online", this.another);
    // What was said last is still on its way.
    window.setTimeout(() => this.connection.close(), 100);
  }
}

/** All own addresses are known, or it takes too long: the others are found out by the checks. */
function gathered(connection: RTCPeerConnection): Promise<void> {
  return new Promise((settle) => {
    if (connection.iceGatheringState === "complete") return settle();
    window.setTimeout(settle, GATHER_MS);
    connection.addEventListener("icegatheringstatechange", () => {
      if (connection.iceGatheringState === "complete") settle();
    });
  });
}
