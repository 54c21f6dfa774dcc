// The console's front door: the header, and which page an address shows. Every link is a plain page load.

import { render } from "preact";
import "./style.css";
import { CallList } from "./pages/call-list";
import { CallPage } from "./pages/call-page";
import { PhonePage } from "./pages/phone-page";

function page(path: string) {
  if (path === "/") return { title: "Calls", view: <CallList /> };
  if (path === "/call") return { title: "Call the agent", view: <PhonePage /> };
  const call = /^\/calls\/([\w-]+)$/.exec(path);
  if (call?.[1]) return { title: "Call", view: <CallPage id={call[1]} /> };
  return { title: "Not found", view: <NotFound /> };
}

function NotFound() {
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p>
        <a href="/">Back to the calls</a>
      </p>
    </div>
  );
}

function Header({ path }: { path: string }) {
  const link = (to: string, text: string) => (
    <a href={to} aria-current={path === to ? "page" : undefined}>
      {text}
    </a>
  );
  return (
    <header class="top">
      <a class="brand" href="/" aria-label="Offhook, to the call list">
        <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M8 19v-6M13 23V9M18 20v-8M23 17.5v-3" />
        </svg>
        Offhook
      </a>
      <nav aria-label="Main">
        {link("/", "Calls")}
        {link("/call", "Call the agent")}
      </nav>
    </header>
  );
}

const path = location.pathname.replace(/(.)\/$/, "$1");
const { title, view } = page(path);
document.title = `${title} · Offhook`;
render(
  <>
    <a class="skip" href="#main">
      Skip to content
    </a>
    <Header path={path} />
    <main id="main" tabIndex={-1}>
      {view}
    </main>
  </>,
  document.getElementById("app") as HTMLElement,
);
