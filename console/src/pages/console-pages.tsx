// The console's pages by their paths, for who is logged in. The caller's page is apart: it stays small.

import type { JSX } from "preact";
import "../styles/desk.css";
import "../styles/floor.css";
import "../styles/pages.css";
import "../styles/center.css";
import { Rings } from "../parts/rings";
import { AuditPage } from "./audit";
import { CallList } from "./call-list";
import { CallPage } from "./call-page";
import { Desk } from "./desk";
import { LiveCaller } from "./live-caller";
import { LiveFloor } from "./live-floor";
import { LoginPage } from "./login";
import { Playground } from "./playground";
import { QueuesPage } from "./queues";
import { RoutingPage } from "./routing";
import { UsersPage } from "./users";

export interface Shown {
  title: string;
  view: JSX.Element;
}

const PAGES: Record<string, () => Shown> = {
  "/": () => ({ title: "Live floor", view: <LiveFloor /> }),
  "/calls": () => ({ title: "Calls", view: <CallList /> }),
  "/playground": () => ({ title: "Voices", view: <Playground /> }),
  "/login": () => ({ title: "Log in", view: <LoginPage /> }),
  "/users": () => ({ title: "Users", view: <UsersPage /> }),
  "/audit": () => ({ title: "Audit", view: <AuditPage /> }),
  "/routing": () => ({ title: "Routing", view: <RoutingPage /> }),
  "/queues": () => ({ title: "Queues", view: <QueuesPage /> }),
  "/live": live,
};

function live(): Shown {
  const query = new URLSearchParams(location.search);
  const id = query.get("call_id") ?? "";
  if (query.get("role") === "caller") return { title: "Call", view: <LiveCaller id={id} /> };
  return { title: "Cockpit", view: <Desk id={id} /> };
}

/** The page at a path, below what rings for whoever is there. */
export function page(at: string): Shown {
  const shown = pageAt(at);
  if (at === "/login" || at === "/live") return shown;
  const view = (
    <>
      <Rings />
      {shown.view}
    </>
  );
  return { title: shown.title, view };
}

function pageAt(at: string): Shown {
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
