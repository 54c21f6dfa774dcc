// The routing rules, and what would happen to a call by them. Rules are read from offhook.toml; nothing is changed here.

import { useEffect, useState } from "preact/hooks";
import { apiGet, apiSend } from "../api";
import { sentenceCase } from "../words";

export interface Rule {
  name: string;
  asks: string;
  target: string;
  live: boolean;
  verdict: "" | "fits" | "no" | "not reached";
  why: string;
}

interface Outcome {
  target: string;
  rule: string;
  why: string;
  at: string;
  rules: Rule[];
}

const CHANNELS = ["phone", "browser", "webrtc", "livekit", "device", "text"];

/** The form's fields as the API takes them; empty ones are left out. */
export function trial(fields: Record<string, string>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === "") continue;
    if (name === "sentiment" || name === "load") found[name] = Number(value);
    else if (name === "returning") found[name] = value === "yes";
    else if (name === "variables") found[name] = pairs(value);
    else found[name] = value;
  }
  return found;
}

function pairs(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    if (at > 0) found[part.slice(0, at).trim()] = part.slice(at + 1).trim();
  }
  return found;
}

/** A target in words: "agent sales", "queue support". */
export function targetWord(target: string): string {
  if (target === "agent") return "the agent that was asked for";
  const [kind, ...name] = target.split(":");
  return `${kind} ${name.join(":")}`.trim();
}

export function RoutingPage() {
  const [rules, setRules] = useState<Rule[] | null>(null);
  const [fallback, setFallback] = useState("");
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    apiGet<{ rules: Rule[]; default: string }>("/api/routing")
      .then((answer) => {
        setRules(answer.rules);
        setFallback(answer.default);
      })
      .catch((error: Error) => setProblem(error.message));
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    setProblem("");
    const fields = Object.fromEntries([...new FormData(event.currentTarget as HTMLFormElement)].map(([k, v]) => [k, String(v)]));
    apiSend<Outcome>("POST", "/api/routing/try", trial(fields))
      .then(setOutcome)
      .catch((error: Error) => {
        setOutcome(null);
        setProblem(error.message);
      });
  };
  return (
    <>
      <div class="page-head">
        <h1>Routing</h1>
      </div>
      <Form submit={submit} />
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      {outcome !== null && (
        <p class="card outcome" role="status">
          This call goes to <strong dir="auto">{targetWord(outcome.target)}</strong>:{" "}
          {outcome.rule === "" ? (
            "no rule fits."
          ) : (
            <>
              rule <bdi>{outcome.rule}</bdi>, {outcome.why}.
            </>
          )}
        </p>
      )}
      {rules !== null && <RuleTable rules={outcome?.rules ?? rules} fallback={fallback} />}
    </>
  );
}

function Form({ submit }: { submit: (event: Event) => void }) {
  return (
    <form class="card routing-form" aria-label="What would happen" onSubmit={submit}>
      <Field name="number" label="Number called" placeholder="+15550100" />
      <Field name="caller" label="Caller" />
      <label class="stacked">
        Channel
        <select name="channel">
          {CHANNELS.map((channel) => (
            <option key={channel} value={channel}>
              {sentenceCase(channel)}
            </option>
          ))}
        </select>
      </label>
      <Field name="agent" label="Agent asked for" />
      <Field name="language" label="Language" placeholder="ar" />
      <Field name="intent" label="Intent" placeholder="billing" />
      <Field name="sentiment" label="Sentiment, -1 to 1" type="number" min="-1" max="1" step="0.05" />
      <Field name="at" label="When" type="datetime-local" />
      <Field name="timezone" label="Time zone" placeholder="Asia/Riyadh" />
      <label class="stacked">
        Called before
        <select name="returning">
          <option value="">No</option>
          <option value="yes">Yes</option>
        </select>
      </label>
      <Field name="load" label="Load, 0 to 1" type="number" min="0" max="1" step="0.05" />
      <Field name="variables" label="Variables" placeholder="tier=gold" />
      <button type="submit" class="primary">
        What would happen?
      </button>
    </form>
  );
}

function Field({ label, ...input }: { label: string; name: string; [attribute: string]: string }) {
  return (
    <label class="stacked">
      {label}
      <input autocomplete="off" {...input} />
    </label>
  );
}

function RuleTable({ rules, fallback }: { rules: Rule[]; fallback: string }) {
  if (rules.length === 0)
    return (
      <p class="card quiet">
        There are no rules: calls go to {targetWord(fallback)}. Rules are written in offhook.toml, as [[routing.rules]].
      </p>
    );
  return (
    <div class="table-frame">
      <table class="calls plain-rows rules">
        <caption class="for-screen-readers">The rules, in the order they are tried</caption>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Asks</th>
            <th scope="col">To</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <tr key={rule.name} class={rule.verdict.replace(" ", "-")}>
              <td>
                <bdi>{rule.name}</bdi> {rule.live && <span class="tag known">also in mid-call</span>}
              </td>
              <td class="rule-asks">
                <bdi>{rule.asks}</bdi>
              </td>
              <td>
                <bdi>{targetWord(rule.target)}</bdi>
              </td>
              <td class="rule-asks">
                {rule.verdict !== "" && sentenceCase(rule.verdict)}
                {rule.why !== "" && (
                  <>
                    : <bdi>{rule.why}</bdi>
                  </>
                )}
              </td>
            </tr>
          ))}
          <tr>
            <td class="quiet">otherwise</td>
            <td />
            <td>{targetWord(fallback)}</td>
            <td />
          </tr>
        </tbody>
      </table>
    </div>
  );
}
