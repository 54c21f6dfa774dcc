// The voices that the house can speak with (/api/voices), and lines spoken to try them (/api/playground). Fetches only.

import { apiGet, apiRaw } from "./api";

export interface VoiceInfo {
  id: string;
  name: string;
  language: string;
  provider: string;
  cloned: boolean;
}

export interface VoiceProvider {
  name: string;
  local: boolean;
  languages: string[];
  clones: boolean;
  reason: string;
}

export interface Voices {
  voices: VoiceInfo[];
  providers: VoiceProvider[];
}

export async function fetchVoices(): Promise<Voices> {
  const answer = await apiGet<Partial<Voices>>("/api/voices");
  return { voices: answer.voices ?? [], providers: answer.providers ?? [] };
}

export interface Wish {
  text: string;
  provider: string;
  voice: string;
  language: string;
  as: "browser" | "phone";
}

export interface Sound {
  url: string;
  bytes: ArrayBuffer;
  type: string;
  /** What the server measured, from its headers; null where it did not say. */
  firstAudioMs: number | null;
  totalMs: number | null;
  seconds: number | null;
  rate: number | null;
  /** Time to make it over time that it sounds. */
  factor: number | null;
  /** From asking to having it all, as measured here. */
  hereMs: number;
}

const DEADLINE_MS = 60_000;

export async function speak(wish: Wish): Promise<Sound> {
  const began = performance.now();
  const response = await apiRaw(
    "/api/playground/speech",
    { method: "POST", headers: { "content-type": "application/json", accept: "audio/wav" }, body: JSON.stringify(wish) },
    DEADLINE_MS,
  );
  const bytes = await response.arrayBuffer();
  const type = (response.headers.get("content-type") ?? "audio/wav").split(";")[0] as string;
  const number = (name: string) => {
    const value = response.headers.get(name);
    return value === null || Number.isNaN(Number(value)) ? null : Number(value);
  };
  return {
    url: URL.createObjectURL(new Blob([bytes], { type })),
    bytes,
    type,
    firstAudioMs: number("x-offhook-first-audio-ms"),
    totalMs: number("x-offhook-total-ms"),
    seconds: number("x-offhook-seconds"),
    rate: number("x-offhook-sample-rate"),
    factor: number("x-offhook-real-time-factor"),
    hereMs: performance.now() - began,
  };
}

export interface ClipInfo {
  name: string;
  seconds: number;
  text: string;
}

export async function fetchClips(): Promise<ClipInfo[]> {
  return (await apiGet<{ clips: ClipInfo[] }>("/api/clips")).clips;
}
