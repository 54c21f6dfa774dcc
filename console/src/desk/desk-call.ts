// One seat on one live call: state to draw, verbs for keys and buttons. No drawing.

import { signal } from "@preact/signals";
import { Headset } from "./headset";
import { type Audience, type Situation, audience, stanceOf, talks } from "./hears";
import { DeskSocket } from "./socket";
import { type DeskState, EMPTY, mediaNow, received } from "./state";
import type { CoachSettings, DeskDown, DeskUp, Levels, Stance } from "./wire";

export interface SeatOptions {
  callId: string;
  role: "operator" | "supervisor" | "caller";
  stance: Stance;
  token: string;
  processing: boolean;
}

/** How a seat ends whose person may not be there any more; the call goes on. */
export const SHUT_OUT = "refused";
const BACK = "You are back, as a listener. Take over again if the caller needs you.";

export class DeskCall {
  readonly state = signal<DeskState>(EMPTY);
  readonly muted = signal(false);
  readonly microphone = signal(false);
  readonly levels: { now: Levels } = { now: {} };
  headset: Headset | null = null;
  private socket: DeskSocket | null = null;

  constructor(readonly options: SeatOptions) {
    this.state.value = { ...EMPTY, callId: options.callId, role: options.role };
  }

  /** Put on the headset, then take the seat; without sound the seat can still read and write. */
  async begin(): Promise<void> {
    const { callId, role, stance, token, processing } = this.options;
    const opened = await Headset.open(processing, {
      send: (pcm) => this.socket?.sendAudio(pcm),
      microphoneLost: () => {
        this.microphone.value = false;
        this.headset?.air(false);
        this.note("The microphone was disconnected; you still hear the call and can write.");
      },
    });
    if (this.state.value.link === "over") return opened.headset?.close();
    this.headset = opened.headset;
    this.microphone.value = opened.headset?.microphone ?? false;
    const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
    const address = { callId, role, stance: role === "caller" ? null : stance, token };
    this.socket = new DeskSocket(base, address, {
      message: (message) => this.take(message),
      audio: (pcm) => this.headset?.hear(pcm),
      lost: () => this.set({ link: "lost" }),
      closed: (sentence) => this.set({ link: "over", notice: sentence, clock: { mediaMs: this.mediaMs, at: 0 } }),
    });
    if (opened.problem !== "") this.note(opened.problem);
    window.addEventListener("pagehide", this.leave);
    window.addEventListener("beforeunload", this.warn);
  }

  get stance(): Stance {
    const { seats, seat } = this.state.value;
    return stanceOf(seats, seat);
  }

  get situation(): Situation {
    const { link, mode, hears, seats, seat, leg, ending } = this.state.value;
    const muted = this.muted.value || seats.some((one) => one.seat === seat && one.muted === true);
    const shutOut = link === "over" && (ending === "" || ending === SHUT_OUT);
    return { link, mode, hears, seats, seat, leg, muted, microphone: this.microphone.value, shutOut };
  }

  get audience(): Audience {
    return audience(this.situation);
  }

  get mediaMs(): number {
    return mediaNow(this.state.value, performance.now());
  }

  get holds(): boolean {
    const { holder, seat } = this.state.value;
    return seat !== "" && holder === seat;
  }

  send(message: DeskUp): boolean {
    return this.socket?.send(message) ?? false;
  }

  readonly takeStance = (stance: Stance): boolean => {
    if (this.muted.value) this.toggleMute();
    return this.send({ type: "stance", stance });
  };

  readonly toggleMute = (): void => {
    const on = !this.muted.value;
    this.muted.value = on;
    this.air();
    this.send({ type: "mute", on });
  };

  /** A setting of the own coach's voice: shown at once, true once the server has it. */
  coach(settings: CoachSettings): void {
    if (this.send({ type: "coach", ...settings })) {
      this.set({ coach: { ...this.state.value.coach, ...settings } });
    }
  }

  readonly leave = (): void => {
    this.socket?.close();
    this.set({ link: "over", ending: this.state.value.ending || "left", clock: { mediaMs: this.mediaMs, at: 0 } });
  };

  /** End the call; where the server cannot be told now, be off it all the same, and not come back. */
  readonly hangUp = (): void => {
    if (!this.send({ type: "end" })) this.leave();
  };

  /** Break the connection as a network does: for tests. */
  cut(): void {
    this.socket?.cut();
  }

  note(sentence: string): void {
    this.set({ notice: sentence });
  }

  private take(message: DeskDown): void {
    if (message.type === "level") {
      this.levels.now = message.levels;
      return;
    }
    if (message.type === "clear") return this.headset?.clear();
    const before = this.state.value.link;
    this.set(received(this.state.value, message, performance.now()));
    if (message.type === "ended" && message.reason === SHUT_OUT && this.options.role !== "caller") {
      this.note("Your session is over. Log in again; the call goes on.");
    }
    if (message.type === "joined") {
      if (this.muted.value) this.send({ type: "mute", on: true });
      if (before === "lost") this.note(this.options.role === "caller" ? "" : BACK);
    }
  }

  set(part: Partial<DeskState>): void {
    this.state.value = { ...this.state.value, ...part };
    this.air();
    if (this.state.value.link !== "over") return;
    window.removeEventListener("pagehide", this.leave);
    window.removeEventListener("beforeunload", this.warn);
    this.headset?.close();
    this.headset = null;
  }

  /** The browser asks before a page is left whose operator holds a call. */
  private readonly warn = (event: Event): void => {
    if (this.holds) event.preventDefault();
  };

  /** The microphone is open only while the server says that this seat talks. */
  private air(): void {
    const speaks = this.options.role === "caller" || talks(this.stance) || this.stance === "consult";
    this.headset?.air(this.state.value.link === "up" && speaks && !this.muted.value);
  }
}
