// The console's front door: the header, and the pages of whoever is there. A caller gets the caller's page alone.

import { render } from "preact";
import { useEffect } from "preact/hooks";
import "./style.css";
import type { Shown } from "./pages/console-pages";
import { Header } from "./parts/header";
import { path } from "./route";
import { loadSession } from "./session";
import { wearTheme } from "./theme";

/** Pages that anybody may load; on the others who is not logged in is led to the login. */
const OPEN = ["/call", "/login", "/live"];

async function pages(): Promise<(at: string) => Shown> {
  if (path.value !== "/call") return (await import("./pages/console-pages")).page;
  if (new URLSearchParams(location.search).get("transport") === "livekit") {
    const { RoomPage } = await import("./pages/room-page");
    return () => ({ title: "Room", view: <RoomPage /> });
  }
  const { PhonePage } = await import("./pages/phone-page");
  return () => ({ title: "Call the agent", view: <PhonePage /> });
}

function Closed({ reason }: { reason: string }) {
  return (
    <main class="empty">
      <h1>The console is closed from here</h1>
      <p>{reason}</p>
    </main>
  );
}

function App({ page }: { page: (at: string) => Shown }) {
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
  const root = document.getElementById("app") as HTMLElement;
  const [{ person, login, reason }, page] = await Promise.all([loadSession(), pages()]);
  if (person !== null || OPEN.includes(path.value)) {
    render(<App page={page} />, root);
  } else if (login) {
    location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  } else {
    render(<Closed reason={reason} />, root);
  }
}

start().catch(() => {
  document.body.textContent = "This page could not be loaded whole. Please load it again.";
});
