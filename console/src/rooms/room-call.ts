// One LiveKit room as this page sees it: signals to draw, verbs for the buttons. No drawing.
// The only module that knows livekit-client; it is loaded when a room is wanted, and not before.

import { signal } from "@preact/signals";
import {
  DefaultReconnectPolicy,
  DisconnectReason,
  type Participant,
  ParticipantKind,
  type RemoteTrack,
  Room,
  RoomEvent,
  type TextStreamReader,
  Track,
  setLogLevel,
} from "livekit-client";
import { ApiError, apiSend } from "../api";
import { type RoomLine, withLine } from "./lines";

setLogLevel("silent"); // what is lost is told on the page

export type RoomPhase = "connecting" | "up" | "lost" | "over";

export interface RoomOptions {
  room: string;
  identity: string;
  name: string;
  agent: string;
  callToken: string;
  processing: boolean;
}

export interface Somebody {
  identity: string;
  name: string;
  agent: boolean;
  speaking: boolean;
}

interface RoomToken {
  token: string;
  url: string;
  identity: string;
}

const STATE = "lk.agent.state";
const TRANSCRIPTION = "lk.transcription";
const CHAT = "lk.chat";
const REJOIN_MS = 60_000;
const PAUSE_MS = 1_000;
/** From one try to come back to the next; after the last the room is entered anew. */
const RETURN_MS = [0, 200, 300, 400, 500, 700, 1_000, 1_000, 1_500, 2_000, 3_000];
const FINAL_REASONS: ReadonlySet<DisconnectReason> = new Set([
  DisconnectReason.CLIENT_INITIATED,
  DisconnectReason.DUPLICATE_IDENTITY,
  DisconnectReason.PARTICIPANT_REMOVED,
  DisconnectReason.ROOM_DELETED,
]);

export class RoomCall {
  readonly phase = signal<RoomPhase>("connecting");
  /** What the agent does, in LiveKit's words; empty while there is no agent. */
  readonly agentState = signal("");
  readonly people = signal<Somebody[]>([]);
  readonly lines = signal<RoomLine[]>([]);
  readonly muted = signal(false);
  readonly microphone = signal(false);
  readonly notice = signal("");
  readonly ending = signal("");
  /** Agent states in the order in which they were seen. */
  readonly states: string[] = [];
  rejoined = 0;
  private room: Room | null = null;
  private given: RoomToken | null = null;
  private returning = false;
  private chats = 0;
  private readonly sounds = new Map<string, HTMLMediaElement>();

  constructor(private readonly options: RoomOptions) {}

  get identity(): string {
    return this.room?.localParticipant.identity ?? this.options.identity;
  }

  /** The sound elements of what is heard, for measurements. */
  get heard(): HTMLMediaElement[] {
    return [...this.sounds.values()];
  }

  /** Get a token and enter. Needs a user's gesture, for the sound. */
  async begin(): Promise<void> {
    try {
      await this.enter();
    } catch (error) {
      this.finish(sentence(error));
    }
  }

  readonly leave = (): void => {
    if (this.phase.value === "over") return;
    this.finish("You left the room.");
    void this.room?.disconnect();
  };

  readonly toggleMute = (): void => {
    if (!this.microphone.value) return;
    this.muted.value = !this.muted.value;
    void this.room?.localParticipant.setMicrophoneEnabled(!this.muted.value).catch(() => {
      this.muted.value = !this.muted.value;
      this.notice.value = "The microphone could not be switched.";
    });
  };

  /** Write to the room; false when it cannot be sent now. */
  say(text: string): boolean {
    if (this.room === null || this.phase.value !== "up") return false;
    const me = this.room.localParticipant;
    this.show({ key: `mine-${this.chats++}`, who: me.identity, name: "You", text, final: true, typed: true });
    void me.sendText(text, { topic: CHAT }).catch(() => {
      this.notice.value = "Your last line could not be sent.";
    });
    return true;
  }

  /** Have the agent stop talking. */
  async interrupt(): Promise<void> {
    try {
      await this.ask("offhook.interrupt", {});
    } catch {
      this.notice.value = "The agent could not be asked to stop.";
    }
  }

  /** Call a method of the agent's; its JSON. */
  async ask(method: string, wish: unknown): Promise<unknown> {
    const agent = this.people.value.find((one) => one.agent);
    if (this.room === null || agent === undefined) throw new Error("there is no agent");
    const answer = await this.room.localParticipant.performRpc({
      destinationIdentity: agent.identity,
      method,
      payload: JSON.stringify(wish),
    });
    return JSON.parse(answer);
  }

  /** What lets this page into the room. A call token opens once: what it opened is good for coming back, too. */
  private async pass(): Promise<RoomToken> {
    const { room, identity, name, agent, callToken } = this.options;
    if (this.given !== null && callToken !== "") return this.given;
    this.given = await apiSend<RoomToken>("POST", "/api/token", {
      room,
      identity: this.room === null ? identity : this.identity,
      name,
      agent,
      call_token: callToken,
    });
    if (this.given === null) throw new ApiError(0, "The server gave no token.");
    return this.given;
  }

  private async enter(): Promise<void> {
    const given = await this.pass();
    if (this.isOver) return;
    const next = new Room({
      adaptiveStream: false,
      dynacast: false,
      reconnectPolicy: new DefaultReconnectPolicy(RETURN_MS),
    });
    this.room = next;
    this.attend(next);
    await next.connect(given.url, given.token, { maxRetries: 1 });
    await next.startAudio().catch(() => undefined);
    if (this.isOver) return void next.disconnect(); // left meanwhile
    this.phase.value = "up";
    this.look();
    await this.speak(next);
  }

  private get isOver(): boolean {
    return this.phase.value === "over";
  }

  private async speak(room: Room): Promise<void> {
    const processing = this.options.processing;
    const options = { echoCancellation: processing, noiseSuppression: processing, autoGainControl: processing };
    try {
      await room.localParticipant.setMicrophoneEnabled(!this.muted.value, options);
      this.microphone.value = true;
    } catch {
      this.notice.value = "The microphone could not be opened, so you can only write and listen.";
    }
  }

  private attend(room: Room): void {
    const look = () => this.look();
    room.registerTextStreamHandler(TRANSCRIPTION, (reader, from) => void this.read(reader, from.identity, false));
    room.registerTextStreamHandler(CHAT, (reader, from) => void this.read(reader, from.identity, true));
    room
      .on(RoomEvent.ParticipantConnected, look)
      .on(RoomEvent.ParticipantDisconnected, look)
      .on(RoomEvent.ParticipantAttributesChanged, look)
      .on(RoomEvent.ActiveSpeakersChanged, look)
      .on(RoomEvent.TrackSubscribed, (track) => this.hear(track))
      .on(RoomEvent.TrackUnsubscribed, (track) => this.unhear(track))
      .on(RoomEvent.SignalReconnecting, () => this.lose())
      .on(RoomEvent.Reconnecting, () => this.lose())
      .on(RoomEvent.Reconnected, () => {
        this.phase.value = "up";
        this.look();
      })
      .on(RoomEvent.Disconnected, (reason) => this.parted(room, reason));
  }

  private lose(): void {
    if (this.phase.value === "up") this.phase.value = "lost";
  }

  private parted(room: Room, reason: DisconnectReason | undefined): void {
    if (room !== this.room || this.isOver) return;
    for (const sound of this.sounds.values()) sound.remove();
    this.sounds.clear();
    if (reason !== undefined && FINAL_REASONS.has(reason)) return this.finish("The room is closed.");
    this.lose();
    if (!this.returning) void this.rejoin(); // a try that fails parts, too
  }

  /** The room is gone: enter it anew, for as long as somebody may want to wait. */
  private async rejoin(): Promise<void> {
    const deadline = performance.now() + REJOIN_MS;
    this.returning = true;
    while (this.phase.value === "lost") {
      try {
        await this.enter();
        this.rejoined += 1;
      } catch (error) {
        if (this.isOver) break;
        if (performance.now() > deadline) this.finish(sentence(error));
        else await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
    this.returning = false;
    if (this.isOver) void this.room?.disconnect();
  }

  private finish(why: string): void {
    this.phase.value = "over";
    this.ending.value = why;
    for (const sound of this.sounds.values()) sound.remove();
    this.sounds.clear();
  }

  private look(): void {
    const room = this.room;
    if (room === null) return;
    const others = [...room.remoteParticipants.values()];
    this.people.value = others.map((one) => ({
      identity: one.identity,
      name: one.name || one.identity,
      agent: isAgent(one),
      speaking: one.isSpeaking,
    }));
    const state = others.find(isAgent)?.attributes[STATE] ?? "";
    if (state !== this.agentState.value) {
      this.agentState.value = state;
      this.states.push(state);
    }
  }

  private hear(track: RemoteTrack): void {
    if (track.kind !== Track.Kind.Audio || track.sid === undefined) return;
    const sound = track.attach();
    sound.hidden = true;
    document.body.append(sound);
    this.sounds.set(track.sid, sound);
  }

  private unhear(track: RemoteTrack): void {
    for (const element of track.detach()) element.remove();
    if (track.sid !== undefined) this.sounds.delete(track.sid);
  }

  private async read(reader: TextStreamReader, from: string, typed: boolean): Promise<void> {
    const told = reader.info.attributes ?? {};
    const key = told["lk.segment_id"] ?? reader.info.id;
    const final = told["lk.transcription_final"] !== "false";
    const line = { key, who: from, name: this.nameOf(from), final, typed };
    let text = "";
    try {
      for await (const piece of reader) {
        text += piece;
        if (typed) this.show({ ...line, text, final: false });
      }
    } catch {
      return; // broken off: what came stays
    }
    this.show({ ...line, text });
  }

  private nameOf(identity: string): string {
    if (identity === this.identity) return "You";
    const found = this.room?.remoteParticipants.get(identity);
    return found === undefined ? identity : isAgent(found) ? "Agent" : found.name || identity;
  }

  private show(line: RoomLine): void {
    this.lines.value = withLine(this.lines.value, line);
  }
}

function isAgent(one: Participant): boolean {
  return one.kind === ParticipantKind.AGENT;
}

function sentence(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return "The room could not be entered.";
}
