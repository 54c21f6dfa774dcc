// The console's front door: which page an address shows, once it is known who is there.

import { type JSX, render } from "preact";
import { useEffect } from "preact/hooks";
import "./style.css";
import "./styles/floor.css";
import "./styles/desk.css";
import "./styles/pages.css";
import { AuditPage } from "./pages/audit";
import { CallList } from "./pages/call-list";
import { CallPage } from "./pages/call-page";
import { Desk } from "./pages/desk";
import { LiveCaller } from "./pages/live-caller";
import { LiveFloor } from "./pages/live-floor";
import { LoginPage } from "./pages/login";
import { PhonePage } from "./pages/phone-page";
import { Playground } from "./pages/playground";
import { UsersPage } from "./pages/users";
import { Header } from "./parts/header";
import { path } from "./route";
import { loadSession } from "./session";
import { wearTheme } from "./theme";

interface Shown {
  title: string;
  view: JSX.Element;
}

const PAGES: Record<string, () => Shown> = {
  "/": () => ({ title: "Live floor", view: <LiveFloor /> }),
  "/calls": () => ({ title: "Calls", view: <CallList /> }),
  "/call": () => ({ title: "Call the agent", view: <PhonePage /> }),
  "/playground": () => ({ title: "Voices", view: <Playground /> }),
  "/login": () => ({ title: "Log in", view: <LoginPage /> }),
  "/users": () => ({ title: "Users", view: <UsersPage /> }),
  "/audit": () => ({ title: "Audit", view: <AuditPage /> }),
  "/live": live,
};
/** Pages that anybody may load; on the others who is not logged in is led to the login. */
const OPEN = ["/call", "/login", "/live"];

function live(): Shown {
  const query = new URLSearchParams(location.search);
  const id = query.get("call_id") ?? "";
  if (query.get("role") === "caller") return { title: "Call", view: <LiveCaller id={id} /> };
  return { title: "Cockpit", view: <Desk id={id} /> };
}

function page(at: string): Shown {
  const known = PAGES[at];
  if (known !== undefined) return known();
  const call = /^\/calls\/([\w-]+)$/.exec(at);
  if (call?.[1]) return { title: "Call", view: <CallPage id={call[1]} /> };
  const desk = /^\/desk\/([\w-]+)$/.exec(at);
  if (desk?.[1]) return { title: "Cockpit", view: <Desk key={desk[1]} id={desk[1]} /> };
  return { title: "Not found", view: <NotFound /> };
}

function NotFound() {
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p>
        <a href="/">Back to the live floor</a>
      </p>
    </div>
  );
}

function Closed({ reason }: { reason: string }) {
  return (
    <main class="empty">
      <h1>The console is closed from here</h1>
      <p>{reason}</p>
    </main>
  );
}

function App() {
  const { title, view } = page(path.value);
  useEffect(() => {
    document.title = `${title} · Offhook`;
  }, [title]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        {view}
      </main>
    </>
  );
}

async function start(): Promise<void> {
  wearTheme();
  const { person, login, reason } = await loadSession();
  if (person === null && login && !OPEN.includes(path.value)) {
    location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    return;
  }
  if (person === null && !OPEN.includes(path.value)) {
    render(<Closed reason={reason} />, document.getElementById("app") as HTMLElement);
    return;
  }
  render(<App />, document.getElementById("app") as HTMLElement);
}

void start();
