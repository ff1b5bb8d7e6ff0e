// One trajectory: what it is worth, the curve, the list of turns, and what the verifier reads of each.

import { bar, curve, flagMark } from "./chart.js";
import { count, el, plural, shown, signed, svg } from "./dom.js";
import { gist, moments, storyOf } from "./story.js";

// `result`: a scored item or null; `prompt`: an answer of /tokenize with texts, or null.
export function trajectoryView(name, prompt, result, first = null) {
  const story = storyOf(prompt, result);
  const view = el("article", { class: "trajectory", "aria-label": name });
  const chart = el("div", { class: "chart" }), list = el("ol", { class: "turns", "aria-label": "Turns" });
  const pane = el("section", { class: "pane", "aria-label": "Reading pane" });
  let chosen = null;

  const draw = () => {
    if (!story.turns || !chart.clientWidth) return;
    const selected = typeof chosen === "number" ? chosen : null;
    chart.replaceChildren(curve(story, { width: chart.clientWidth, selected, select }));
  };
  const select = (id, from = null) => {
    chosen = id;
    draw();
    for (const row of list.querySelectorAll("button")) {
      const mine = row.dataset.entry === String(id);
      row.setAttribute("aria-current", mine ? "true" : "false");
      row.tabIndex = mine ? 0 : -1;
      if (mine) keepInSight(list, row);
      if (mine && from === "list") row.focus();
    }
    if (from === "curve") chart.querySelector(`[data-turn="${id}"]`)?.focus({ preventScroll: true });
    const entry = story.entries.find((e) => e.id === id);
    if (entry) pane.replaceChildren(...reading(entry, story, select));
    pane.scrollTop = 0;
  };
  list.append(...story.entries.map((entry) => row(entry, story, select)));
  list.addEventListener("keydown", (event) => walk(event, story, chosen, select));
  view.append(heading(name, story), ...note(story, select), chart, el("div", { class: "split" }, list, pane), facts(prompt, story));
  new ResizeObserver(draw).observe(chart);
  const start = first ?? moments(story.steps).fall?.turn ?? [...story.flags.keys()].find((t) => t !== null) ?? 0;
  if (story.entries.length) select(story.entries.some((e) => e.id === start) ? start : story.entries[0].id);
  return view;
}

function keepInSight(list, row) {
  const top = row.offsetTop - list.offsetTop;
  if (top < list.scrollTop) list.scrollTop = top - 8;
  else if (top + row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + row.offsetHeight - list.clientHeight + 8;
}

function walk(event, story, chosen, select) {
  const at = story.entries.findIndex((e) => e.id === chosen), last = story.entries.length - 1;
  const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: last }[event.key];
  if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  select(story.entries[Math.min(last, Math.max(0, to))].id, "list");
}

function heading(name, { result }) {
  if (!result) return el("header", { class: "worth" }, el("h2", {}, name));
  const said = result.calibration === "identity" ? "uncalibrated" : `calibrated by ${result.calibration}`;
  const interval = result.interval;
  const range = interval
    ? `${shown(interval.low)} – ${shown(interval.high)} (${interval.method})`
    : "no interval: this calibration gives none";
  return el("header", { class: "worth" }, el("h2", {}, name),
    el("p", { class: "figure" }, el("strong", { id: "probability" }, shown(result.probability)), " P(resolved)"),
    bar(result.probability, interval, "probability"),
    el("p", { class: "quiet" }, `${range} · ${said}`));
}

function note(story, select) {
  if (!story.result) return [];
  const link = (text, turn) => el("a", { href: `#turn-${turn}`, onclick: (e) => { e.preventDefault(); select(turn); } }, text);
  const { rise, fall } = moments(story.steps);
  const move = (word, m) => (m ? [" · ", `largest ${word} `, link(`turn ${m.turn}`, m.turn), ` (${shown(m.from)} → ${shown(m.to)})`] : []);
  const kind = !story.steps.length ? "no turn was scored" : story.calibrated
    ? "value after each turn, calibrated for steps"
    : "value after each turn: raw, uncalibrated (no calibration of steps is active)";
  const flags = [...story.flags].flatMap(([turn, found]) => found.map((flag) => flagItem(flag, turn, link)));
  return [el("p", { class: "quiet", id: "moments" }, kind, move("rise", rise), move("fall", fall)),
    flags.length ? el("ul", { class: "flags", "aria-label": "Flags" }, flags) : el("p", { class: "quiet" }, "no flags")];
}

function flagItem(flag, turn, link) {
  const where = turn === null ? "issue or patch" : link(`turn ${turn}`, turn);
  return el("li", {}, mark(), el("b", {}, flag.kind), " ", where, " ", el("code", {}, flag.evidence));
}

const mark = () => svg("svg", { class: "mark", viewBox: "0 0 12 12", role: "img", "aria-label": "flag" }, flagMark(6, 6));

function row(entry, story, select) {
  const turn = typeof entry.id === "number" ? entry.id : null;
  const at = turn === null ? -1 : story.steps.findIndex((s) => s.turn === turn);
  const value = story.steps[at]?.value, before = story.steps[at - 1]?.value;
  const tokens = entry.segments.reduce((n, s) => n + s.end - s.start, 0);
  const gone = entry.segments.reduce((n, s) => n + s.elided_tokens, 0);
  const move = value === undefined || before === undefined ? null : value - before;
  const cls = move === null || Math.abs(move) < 0.05 ? "move" : move > 0 ? "move up" : "move down";
  return el("li", {}, el("button", { type: "button", "data-entry": entry.id, tabindex: -1, onclick: () => select(entry.id) },
    el("span", { class: "number" }, turn === null ? "" : String(turn)),
    el("span", { class: "gist" }, turn !== null && story.flags.has(turn) ? mark() : null, turn === null ? el("i", {}, entry.title) : gist(entry)),
    el("span", { class: "value" }, value === undefined ? "" : shown(value)),
    el("span", { class: cls }, move === null ? "" : signed(move)),
    el("span", { class: "size" }, count(tokens), gone ? el("small", {}, ` −${count(gone)}`) : null)));
}

function reading(entry, story, select) {
  const at = story.entries.indexOf(entry);
  const to = (n, text) => {
    const other = story.entries[n];
    return el("button", { type: "button", disabled: !other, onclick: () => select(other.id) }, text);
  };
  const value = story.steps.find((s) => s.turn === entry.id)?.value;
  const head = el("header", { class: "row" }, el("h3", {}, entry.title),
    value === undefined ? null : el("span", { class: "value" }, shown(value)),
    el("span", { class: "grow" }), to(at - 1, "Previous"), to(at + 1, "Next"));
  const flags = typeof entry.id === "number" ? (story.flags.get(entry.id) ?? []) : [];
  return [head,
    ...flags.map((f) => el("p", { class: "flagged" }, mark(), el("b", {}, f.kind), " ", el("code", {}, f.evidence))),
    ...entry.segments.map(segmentBlock)];
}

function segmentBlock(segment) {
  const gone = segment.elided_tokens ? `, ${count(segment.elided_tokens)} elided` : "";
  const index = segment.message_index === null ? "" : ` · message ${segment.message_index}`;
  return el("section", { class: `segment ${segment.role}` },
    el("h4", {}, segment.role, el("small", {}, ` ${plural(segment.end - segment.start, "token")}${gone}${index}`)),
    el("pre", { tabindex: 0 }, segment.pieces.map((p) => (p.control ? el("span", { class: "control" }, p.text) : p.text))));
}

function facts(prompt, { result }) {
  const rows = [];
  const add = (name, value) => value !== null && value !== undefined && rows.push(el("dt", {}, name), el("dd", {}, String(value)));
  add("format", prompt?.format ?? result?.format);
  add("exit", prompt?.exit);
  if (prompt) add("prompt", `${count(prompt.count)} of ${count(prompt.allowed)} tokens, ${count(prompt.structural_tokens)} of them structure`);
  if (prompt) add("elided", prompt.elided_tokens ? `${count(prompt.elided_tokens)} tokens in ${plural(prompt.elided_turns, "turn")}` : "nothing");
  if (result) {
    add("raw probability", result.raw_probability.toFixed(4));
    add("logit", result.logit.toFixed(3));
    add("label mass", result.label_mass.toFixed(4));
    add("computed", `${count(result.tokens.computed)} tokens, ${count(result.tokens.steps)} for steps; ${result.source}`);
    add("engine", `${result.timings_ms.engine} ms, waited ${result.timings_ms.wait} ms`);
    for (const name of ["calibration", "model", "revision", "template", "system_fingerprint", "score_id", "trajectory_digest"]) add(name, result[name]);
  }
  return el("details", { class: "facts" }, el("summary", {}, "Facts"), el("dl", {}, rows));
}
