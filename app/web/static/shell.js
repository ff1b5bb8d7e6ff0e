// What every page has: the key, who answers, problems in their place.

import { ask, key } from "./api.js";
import { byId, el } from "./dom.js";

const listeners = [];
export let info = null; // what /info said last, null while it is not known

export function problem(error, about = null) {
  // A failed item brings a code as a refusal does; anything else is a fault of this page.
  const code = typeof error.code === "string" ? error.code : "page_fault";
  return el("p", { class: "problem" }, about ? el("b", {}, `${about}: `) : null, el("code", {}, code), ` ${error.message}`);
}

export function showProblems(...errors) {
  byId("problems").replaceChildren(...errors.map((e) => (e instanceof Node ? e : problem(e))));
}

async function greet() {
  const line = byId("server");
  try {
    info = await ask("GET", "/info");
    const model = info.model;
    const parts = [model.name, info.calibration === "identity" ? "uncalibrated" : info.calibration];
    if (!model.trained) parts.push("untrained weights");
    if (model.engine === "fake") parts.push("fake engine: numbers mean nothing");
    if (info.canary?.trouble) parts.push("not ready");
    line.textContent = parts.join(" · ");
  } catch (error) {
    info = null;
    line.textContent = error.status === 401 ? "needs a key" : `${error.code}: ${error.message}`;
  }
  listeners.forEach((each) => each(info));
}

// Calls `changed` with /info now and whenever the key changes.
export function open(changed = () => {}) {
  listeners.push(changed);
  const field = byId("key");
  field.value = key.get();
  field.addEventListener("change", () => {
    key.set(field.value.trim());
    greet();
  });
  return greet();
}

// Runs `work(signal)` for a form: one at a time, with a button that stops it.
export function onSubmit(work) {
  const [go, stop, status] = [byId("go"), byId("stop"), byId("status")];
  let running = null;
  stop?.addEventListener("click", () => running?.abort());
  byId("ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    running = new AbortController();
    go.disabled = true;
    if (stop) stop.hidden = false;
    showProblems();
    status.textContent = "asking …";
    try {
      status.textContent = (await work(running.signal)) ?? "";
    } catch (error) {
      status.textContent = "";
      showProblems(error);
    } finally {
      running = null;
      go.disabled = false;
      if (stop) stop.hidden = true;
    }
  });
}
