// Who waits for an operator, who works, and who wants to be called back.

import { useEffect, useState } from "preact/hooks";
import { apiGet, apiSend } from "../api";
import { fetchQueues, type Operator, type Queues } from "../floor/operator";
import { may } from "../session";
import { clock, languageName, moment, sentenceCase } from "../words";

export interface CallBack {
  id: string;
  at: string;
  call_id: string;
  queue: string;
  number: string;
  language: string;
  state: "open" | "done" | "dropped";
  name: string;
  note: string;
}

const POLL_MS = 2_000;

/** An estimate in words: "about 4 min"; nothing where nobody works. */
export function waitWord(seconds: number): string {
  if (seconds < 0) return "nobody works here now";
  return seconds < 60 ? "less than a minute" : `about ${Math.round(seconds / 60)} min`;
}

export function QueuesPage() {
  const [found, setFound] = useState<Queues | null>(null);
  const [wishes, setWishes] = useState<CallBack[]>([]);
  const [problem, setProblem] = useState("");
  const [refusal, setRefusal] = useState("");
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let current = true;
    let timer = 0;
    const load = async () => {
      try {
        const wanted = Promise.all([fetchQueues(), apiGet<{ call_backs: CallBack[] }>("/api/call-backs?state=open")]);
        const [queues, { call_backs }] = await wanted;
        if (!current) return;
        setFound(queues);
        setWishes(call_backs);
        setProblem("");
      } catch (error) {
        if (current) setProblem((error as Error).message);
      }
      if (current) timer = window.setTimeout(() => void load(), POLL_MS);
    };
    void load();
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [asked]);
  const send = (path: string, body: unknown) => {
    setRefusal("");
    apiSend("PUT", path, body)
      .then(() => setAsked((times) => times + 1))
      .catch((error: Error) => setRefusal(error.message));
  };
  return (
    <>
      <div class="page-head">
        <h1>Queues</h1>
      </div>
      {[refusal, problem]
        .filter((one) => one !== "")
        .map((one) => (
          <p key={one} class="banner bad" role="alert">
            {one}
          </p>
        ))}
      {found?.queues.length === 0 && (
        <p class="card quiet">There are no queues. They are written in offhook.toml, as [queues.NAME].</p>
      )}
      <div class="queue-cards">
        {found?.queues.map((queue) => (
          <section class="card" key={queue.name} aria-label={`Queue ${queue.name}`}>
            <h2>
              <bdi>{queue.name}</bdi> <span class="quiet">{queue.count === 0 ? "nobody waits" : `${queue.count} waiting`}</span>
            </h2>
            <ol class="in-line">
              {queue.waiting.map((one) => (
                <li key={one.call_id}>
                  <a href={`/desk/${one.call_id}`}>
                    {one.position}. waits {clock(one.waited_s * 1000)}
                  </a>{" "}
                  <span class="quiet">
                    {[one.agent, one.language && languageName(one.language), waitWord(one.wait_s)].filter(Boolean).join(" · ")}
                  </span>
                </li>
              ))}
            </ol>
          </section>
        ))}
      </div>
      {found !== null && found.operators.length > 0 && (
        <Operators operators={found.operators} save={(id, body) => send(`/api/operators/${encodeURIComponent(id)}`, body)} />
      )}
      <CallBacks wishes={wishes} settle={(id, state) => send(`/api/call-backs/${encodeURIComponent(id)}`, { state })} />
    </>
  );
}

function Operators({ operators, save }: { operators: Operator[]; save: (id: string, body: unknown) => void }) {
  return (
    <section class="card" aria-label="Operators">
      <h2>Operators</h2>
      <ul class="operators">
        {operators.map((one) => (
          <li key={one.id}>
            <bdi>{one.name}</bdi>{" "}
            <span class={`tag presence-${one.presence}`}>
              {one.ringing !== "" ? "Ringing" : sentenceCase(one.here ? one.presence : "not here")}
            </span>
            <Abilities operator={one} save={save} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What somebody can do: shown to all, changed by admins. */
function Abilities({ operator, save }: { operator: Operator; save: (id: string, body: unknown) => void }) {
  const skills = operator.skills.includes("*") ? ["all skills"] : operator.skills;
  const known = [...skills, ...operator.languages.map(languageName)].join(", ");
  const [text, setText] = useState<string | null>(null);
  if (text === null)
    return (
      <>
        <span class="quiet">{known || "all languages, no skills"}</span>
        {may("edit_users") && operator.id.startsWith("user_") && (
          <button type="button" class="small" onClick={() => setText(words(operator))}>
            Change
          </button>
        )}
      </>
    );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save(operator.id, abilities(text));
        setText(null);
      }}
    >
      <input
        aria-label={`Skills of ${operator.name}; languages after a bar`}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="small">
        Save
      </button>
    </form>
  );
}

function words({ skills, languages }: Operator): string {
  return [skills.join(", "), languages.join(", ")].filter(Boolean).join(" | ");
}

/** "billing, refunds | ar, en" as the API takes it. */
export function abilities(text: string): { skills: string[]; languages: string[] } {
  const [skills = "", languages = ""] = text.split("|");
  const listed = (part: string) => part.split(",").map((word) => word.trim()).filter(Boolean);
  return { skills: listed(skills), languages: listed(languages) };
}

function CallBacks({ wishes, settle }: { wishes: CallBack[]; settle: (id: string, state: string) => void }) {
  return (
    <section class="card" aria-label="Call-backs">
      <h2>To be called back</h2>
      {wishes.length === 0 && <p class="quiet">Nobody waits to be called back.</p>}
      <ul class="call-backs">
        {wishes.map((wish) => (
          <li key={wish.id}>
            <a href={`tel:${wish.number}`}>{wish.number}</a>{" "}
            <span class="quiet">
              {moment(wish.at)} · {wish.queue} {wish.language !== "" && `· ${languageName(wish.language)}`} ·{" "}
              <a href={`/calls/${wish.call_id}`}>the call</a>
            </span>
            <button type="button" class="small" onClick={() => settle(wish.id, "done")}>
              Done
            </button>
            <button type="button" class="small" onClick={() => settle(wish.id, "dropped")}>
              Drop
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
