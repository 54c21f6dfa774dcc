// The voice playground: a line, a voice, heard as in a browser and as over a telephone, with what it took.

import { useEffect, useState } from "preact/hooks";
import { CloneVoice } from "../parts/clone-voice";
import { Heard } from "../parts/heard";
import { type Sound, type Voices, type Wish, fetchVoices, speak } from "../voices";
import { may } from "../session";
import { languageName } from "../words";

const FIRST_LINES: Record<string, string> = {
  en: "Good morning, how can I help you today?",
  ar: "صباح الخير، كيف يمكنني مساعدتك اليوم؟",
};
const WAYS: { as: Wish["as"]; word: string; hint: string }[] = [
  { as: "browser", word: "In the browser", hint: "Wideband, as a browser caller hears it" },
  { as: "phone", word: "On the telephone", hint: "8 kHz µ-law, as a telephone caller hears it" },
];

export function Playground() {
  const [all, setAll] = useState<Voices>({ voices: [], providers: [] });
  const [provider, setProvider] = useState("");
  const [voice, setVoice] = useState("");
  const [language, setLanguage] = useState("en");
  const [text, setText] = useState(FIRST_LINES.en as string);
  const [sounds, setSounds] = useState<Partial<Record<Wish["as"], Sound>>>({});
  const [busy, setBusy] = useState<Wish["as"] | "">("");
  const [problem, setProblem] = useState("");
  const load = () =>
    fetchVoices()
      .then((found) => {
        setAll(found);
        setProvider((now) => now || (found.voices[0]?.provider ?? found.providers[0]?.name ?? ""));
      })
      .catch((error: Error) => setProblem(error.message));
  useEffect(() => void load(), []);
  const own = all.voices.filter((one) => one.provider === provider);
  const spoken = all.providers.find((one) => one.name === provider)?.languages ?? [];
  const languages = [...new Set(["en", "ar", ...spoken, ...own.map((one) => one.language)].filter(Boolean))];
  const hear = async (as: Wish["as"]) => {
    setBusy(as);
    setProblem("");
    try {
      const sound = await speak({ text: text.trim(), provider, voice, language, as });
      if (sounds[as]) URL.revokeObjectURL(sounds[as].url);
      setSounds((now) => ({ ...now, [as]: sound }));
    } catch (error) {
      setProblem((error as Error).message);
    }
    setBusy("");
  };
  const turn = (to: string) => {
    if (text === FIRST_LINES[language]) setText(FIRST_LINES[to] ?? text);
    setLanguage(to);
  };
  return (
    <>
      <div class="page-head">
        <h1>Voices</h1>
      </div>
      {problem !== "" && (
        <p class="banner bad" role="alert">
          {problem}
        </p>
      )}
      <div class="playground">
        <section class="card" aria-label="What to say">
          <label class="stacked">
            Text
            <textarea
              rows={4}
              dir="auto"
              lang={language}
              maxLength={1000}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          <div class="choices">
            <label class="stacked">
              Provider
              <select
                value={provider}
                onChange={(event) => {
                  setProvider(event.currentTarget.value);
                  setVoice("");
                }}
              >
                {all.providers.map((one) => (
                  <option key={one.name} value={one.name}>
                    {one.name} {one.local ? "(this machine)" : ""}
                  </option>
                ))}
              </select>
            </label>
            <label class="stacked">
              Voice
              <select value={voice} onChange={(event) => setVoice(event.currentTarget.value)}>
                <option value="">Its first</option>
                {own.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.name}
                    {one.cloned ? " (cloned)" : ""}
                  </option>
                ))}
              </select>
            </label>
            <label class="stacked">
              Language
              <select value={language} onChange={(event) => turn(event.currentTarget.value)}>
                {languages.map((code) => (
                  <option key={code} value={code}>
                    {languageName(code)}
                  </option>
                ))}
              </select>
            </label>
          </div>
          {all.providers
            .filter((one) => one.name === provider && one.reason !== "")
            .map((one) => (
              <p key={one.name} class="banner">
                {one.reason}
              </p>
            ))}
        </section>
        <div class="heard-both">
          {WAYS.map(({ as, word, hint }) => (
            <section key={as} class="card" aria-label={word}>
              <h2>{word}</h2>
              <p class="quiet">{hint}</p>
              <button type="button" class="primary" disabled={busy !== "" || text.trim() === ""} onClick={() => void hear(as)}>
                {busy === as ? "Speaking …" : "▶ Hear it"}
              </button>
              {sounds[as] && <Heard sound={sounds[as]} name={`offhook-${as}`} />}
            </section>
          ))}
        </div>
        {may("edit_voices") && (
          <CloneVoice providers={all.providers.filter((one) => one.clones)} done={() => void load()} />
        )}
      </div>
    </>
  );
}
