// /ui/compare: candidates of one issue, ranked, then side by side.

import { Problem, ranked, rendered, scored } from "./api.js";
import { bar, curve } from "./chart.js";
import { breakable, byId, count, el, plural, shown, table } from "./dom.js";
import { fillOptions, item, openIntake, options } from "./intake.js";
import { onSubmit, open, problem, showProblems } from "./shell.js";
import { storyOf, textOf } from "./story.js";
import { trajectoryView } from "./trajectory.js";

const MINI = 300; // px
let candidates = [];

function add(documents) {
  candidates = [...candidates, ...documents];
  list();
}

function list() {
  byId("chosen").textContent = candidates.length ? plural(candidates.length, "candidate") : "";
  byId("candidates").replaceChildren(...candidates.map((each) => el("li", {}, each.name,
    el("button", { type: "button", "aria-label": `Remove ${each.name}`, onclick: () => {
      candidates = candidates.filter((other) => other !== each);
      list();
    } }, "×"))));
}

openIntake(add);
byId("add").addEventListener("click", () => {
  const text = byId("paste").value;
  if (text.trim()) add([{ name: `pasted ${candidates.length + 1}`, text }]);
  byId("paste").value = "";
});

// Curves and texts beside the ranking; what fails here leaves the ranking as it is.
async function details(items, chosen, signal) {
  const steps = !byId("curves").checked ? [] : (await scored({ trajectories: items, steps: "all", ...chosen }, signal)).results;
  const prompts = [];
  for (const one of items) prompts.push(await rendered(one, chosen.on_overflow, signal).catch((error) => ({ error })));
  return items.map((_, n) => ({ prompt: prompts[n].error ? null : prompts[n], steps: steps[n]?.steps ?? null }));
}

function rankRow(result, name) {
  const interval = result.interval ? `${shown(result.interval.low)} – ${shown(result.interval.high)}` : "none";
  const kinds = [...new Set(result.flags.map((f) => f.kind))].join(", ");
  return el("tr", {}, el("td", { class: "rank" }, String(result.rank), result.tied ? el("small", {}, " tied") : null),
    el("th", { scope: "row" }, breakable(name)), el("td", {}, shown(result.probability)),
    el("td", { class: "barcell" }, bar(result.probability, result.interval, name)), el("td", {}, interval),
    el("td", { class: kinds ? "warn" : "" }, kinds || "–"),
    el("td", {}, count(result.tokens.prompt), result.tokens.elided ? ` (−${count(result.tokens.elided)})` : ""), el("td", {}, result.format));
}

function failedRow(result, name) {
  return el("tr", { class: "failed" }, el("td", {}, "–"), el("th", { scope: "row" }, breakable(name)),
    el("td", { colspan: 6 }, "not scored: ", el("code", {}, result.error.code), ` ${result.error.message}`));
}

// A diff, without what the template puts before it; more than this is better read below.
function patchLines(text) {
  const all = text.split("\n"), start = all.findIndex((line) => /^(diff --git|---) /.test(line));
  const lines = all.slice(start < 0 ? 1 : start, 400);
  const cls = (line) => (/^\+(?!\+\+)/.test(line) ? "added" : /^-(?!--)/.test(line) ? "removed" : null);
  return lines.map((line) => el("span", { class: cls(line) }, `${line}\n`));
}

function panel(result, name, found, read) {
  const story = storyOf(found.prompt, { ...result, steps: found.steps });
  const patch = found.prompt?.segments.find((s) => s.role === "patch");
  return el("article", { class: "panel" },
    el("header", { class: "row" }, el("h3", {}, `${result.rank}. `, breakable(name)), el("span", { class: "value" }, shown(result.probability))),
    story.steps.length ? curve(story, { width: MINI, small: true, select: (turn) => read(turn) }) : null,
    el("p", { class: "quiet" }, `${plural(story.turns, "turn")}, ${plural(result.flags.length, "flag")}`),
    patch ? el("pre", { class: "patch", tabindex: 0, "aria-label": `Patch of ${name}` }, patchLines(textOf(patch))) : null,
    el("button", { type: "button", disabled: !found.prompt, onclick: () => read() }, "Read turns"));
}

onSubmit(async (signal) => {
  byId("ranking").replaceChildren();
  byId("view").replaceChildren();
  if (!candidates.length) throw new Problem("empty", "no candidate was dropped or pasted");
  const names = candidates.map((each) => each.name), items = candidates.map(item), chosen = options();
  const answer = await ranked({ candidates: items, ...chosen }, signal);
  const rows = [...answer.results.map((r) => rankRow(r, names[r.index])), ...answer.failed.map((r) => failedRow(r, names[r.index]))];
  const uncalibrated = answer.results.some((r) => r.calibration === "identity");
  byId("ranking").append(
    table(["Rank", "Candidate", "P(resolved)", "0 – 1", "Interval", "Flags", "Tokens", "Format"], rows, { id: "ranks" }),
    el("p", { class: "quiet" }, uncalibrated ? "uncalibrated probabilities · " : "", answer.complete ? "every candidate was scored" : `${plural(answer.counts.failed, "candidate")} not scored`));
  byId("status").textContent = "ranked; fetching curves and patches …";
  const found = await details(items, chosen, signal).catch((error) => {
    showProblems(problem(error, "curves"));
    return null;
  });
  if (!found) return "";
  const panels = answer.results.map((result) => {
    const one = found[result.index], name = names[result.index];
    return panel(result, name, one, (turn = null) => {
      byId("view").replaceChildren(trajectoryView(name, one.prompt, { ...result, steps: one.steps }, turn));
      byId("view").scrollIntoView({ block: "start" });
    });
  });
  byId("ranking").append(el("div", { class: "panels", tabindex: 0, role: "group", "aria-label": "Candidates side by side" }, panels));
  return "";
});

open(fillOptions);
