// /ui/queue: what waits at the door, every two seconds while the page is looked at.

import { ask } from "./api.js";
import { spark } from "./chart.js";
import { byId, count, el } from "./dom.js";
import { open, showProblems } from "./shell.js";

const EVERY_MS = 2000, KEPT = 150; // five minutes
const seen = [];

const card = (name, value, ...more) => el("div", { class: "card" }, el("h2", {}, name), el("p", { class: "big" }, value), ...more);
const seconds = (s) => (s < 10 ? `${s.toFixed(1)} s` : s < 120 ? `${s.toFixed(0)} s` : `${(s / 60).toFixed(1)} min`);

function show(load) {
  seen.push(load);
  if (seen.length > KEPT) seen.shift();
  const trend = (name) => spark(seen.map((each) => each[name]), name.replace("_", " "));
  byId("queue").replaceChildren(el("div", { class: "cards" },
    card("Waiting items", count(load.waiting_items), trend("waiting_items")),
    card("Waiting tokens", count(load.waiting_tokens), trend("waiting_tokens")),
    card("Prefill tokens a second", count(Math.round(load.prefill_tokens_per_s)), trend("prefill_tokens_per_s")),
    ...Object.entries(load.backlog_s).map(([name, wait]) => card(`Wait of ${name}`, seconds(wait)))));
}

async function look() {
  if (!document.hidden) {
    try {
      show(await ask("GET", "/load", undefined, AbortSignal.timeout(10_000)));
      showProblems();
      byId("status").textContent = `as of ${new Date().toLocaleTimeString()}`;
    } catch (error) {
      showProblems(error);
      byId("status").textContent = seen.length ? "what is shown is old" : "";
    }
  }
  setTimeout(look, EVERY_MS);
}

open();
look();
