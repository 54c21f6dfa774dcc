// A strip that says which providers of speech and models are well; nothing where there is one of each and all are.

import { useEffect, useState } from "preact/hooks";
import { type ProviderState, fetchProviders } from "../api";
import { providerState, providerWord } from "../words";

const REFRESH_MS = 10_000;

export function Providers() {
  const [providers, setProviders] = useState<ProviderState[]>([]);

  useEffect(() => {
    let current = true;
    let timer = 0;
    const load = async () => {
      const answer = document.hidden ? null : await fetchProviders().catch(() => []);
      if (!current) return;
      if (answer !== null) setProviders(answer);
      timer = window.setTimeout(load, REFRESH_MS);
    };
    void load();
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, []);

  if (!worthShowing(providers)) return null;
  return (
    <ul class="providers" aria-label="Providers">
      {providers.map((one) => (
        <li key={`${one.kind} ${one.provider}`} class={one.state} title={one.reason || undefined}>
          {providerWord(one)} <strong>{providerState(one.state)}</strong>
          {(one.state === "down" || one.state === "refused") && <span class="quiet">{one.reason}</span>}
        </li>
      ))}
    </ul>
  );
}

/** A single provider of each kind that works needs no words. */
export function worthShowing(providers: ProviderState[]): boolean {
  const kinds = new Set(providers.map((one) => one.kind));
  return providers.length > kinds.size || providers.some((one) => one.state !== "up");
}
