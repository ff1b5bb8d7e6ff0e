// /ui/quality: how true the scores were, and which calibration is active.

import { ask } from "./api.js";
import { plot } from "./chart.js";
import { byId, count, el, plural, table } from "./dom.js";
import { onSubmit, open, problem } from "./shell.js";

const MIN_INSTANCES = 10;  // a point of RM@k by fewer is told, but not drawn
const three = (n) => n.toFixed(3);
const estimate = (e) => el("td", {}, three(e.value), el("small", {}, ` ${three(e.low)} – ${three(e.high)}`));

function sliceRow(slice, n, choose) {
  const name = slice.value ?? "none";
  const head = [el("th", { scope: "row" }, slice.enough ? el("button", { type: "button", class: "link", "data-slice": n, onclick: choose }, name) : name),
    el("td", {}, slice.calibration), el("td", {}, count(slice.n)), el("td", {}, count(slice.positives)), el("td", {}, `${(slice.label_coverage * 100).toFixed(0)} %`)];
  const figures = !slice.enough
    ? [el("td", { colspan: 4, class: "quiet" }, "too few labels for a number")]
    : [estimate(slice.auc), el("td", {}, three(slice.ece.value), el("small", {}, ` floor ${three(slice.ece.floor)}`)), el("td", {}, three(slice.brier)), el("td", {}, three(slice.log_loss))];
  return el("tr", {}, head, figures);
}

function reliability(slice) {
  const most = Math.max(...slice.reliability.map((b) => b.n));
  const dots = slice.reliability.map((b) => ({ x: b.mean_probability, y: b.rate, r: 2 + 6 * Math.sqrt(b.n / most), title: `${b.n} labels: said ${three(b.mean_probability)}, resolved ${three(b.rate)}` }));
  return el("figure", {}, plot({ name: "Reliability: probability said against share resolved", xs: [[0, "0"], [0.5, "probability said"], [1, "1"]],
    lines: [{ points: [[0, 0], [1, 1]], cls: "ideal" }, { points: dots.map((d) => [d.x, d.y]), cls: "path" }], dots }),
    el("figcaption", {}, `Reliability of ${slice.value ?? "none"}: share resolved against probability; the area of a point is its number of labels`));
}

function rmAtK(slice) {
  const points = (slice.rm_at_k ?? []).filter((p) => p.instances >= MIN_INSTANCES);
  if (points.length < 2) return el("p", { class: "quiet" }, `RM@k: fewer than ${MIN_INSTANCES} instances have two labelled candidates.`);
  const last = Math.max(2, points.at(-1).k);
  const x = (k) => (k - 1) / (last - 1);
  const of = (name) => points.map((p) => [x(p.k), p[name].value]);
  return el("figure", {}, plot({ name: "RM@k: share of instances resolved by the pick among k", xs: [[0, "k = 1"], [1, `k = ${last}`]],
    lines: [{ points: of("oracle"), cls: "ideal" }, { points: of("random"), cls: "chance" }, { points: of("picked"), cls: "path" }],
    dots: points.map((p) => ({ x: x(p.k), y: p.picked.value, r: 3, title: `k = ${p.k}: ${three(p.picked.value)} of ${plural(p.instances, "instance")}` })),
    legend: [["oracle", "ideal"], ["picked by score", "path"], ["by chance", "chance"]] }),
    el("figcaption", {}, "RM@k: share of instances that one pick among k candidates resolves"));
}

function showSlices(answer) {
  const draw = (slice) => byId("figures").replaceChildren(...(slice ? [reliability(slice), rmAtK(slice)] : []));
  const rows = answer.slices.map((slice, n) => sliceRow(slice, n, () => draw(slice)));
  byId("slices").replaceChildren(rows.length
    ? table([answer.by[0].toUpperCase() + answer.by.slice(1), "Calibration", "Labels", "Resolved", "Coverage", "AUC", "ECE", "Brier", "Log loss"], rows)
    : el("p", { class: "quiet" }, "No scores in this window."));
  if (answer.disputed) byId("slices").append(el("p", { class: "quiet" }, `Disputed trajectories, left out: ${count(answer.disputed)}. Two keys say different things of each, on equal evidence.`));
  draw(answer.slices.find((slice) => slice.enough));
  const drift = answer.drift;
  byId("drift").replaceChildren(el("h2", {}, "Drift"), el("p", {}, drift
    ? `${drift.name}: PSI ${three(drift.psi)} of ${plural(drift.n, "score")} against what ${drift.calibration} was fitted on; ${three(drift.floor)} is noise at this size`
    : "Not known: the active calibration keeps no reference, or fewer than 30 scores are there."));
}

function calibrationRow(each, known) {
  const report = each.report;
  const loss = report ? `${three(report.before.log_loss)} → ${three(report.after.log_loss)}` : "–";
  return el("tr", {}, el("th", { scope: "row" }, each.id), el("td", {}, each.method),
    el("td", {}, each.created ? new Date(each.created * 1000).toISOString().slice(0, 16).replace("T", " ") : "of the model"),
    el("td", {}, report ? count(report.n) : "–"), el("td", {}, loss),
    el("td", {}, each.active ? el("strong", {}, "active") : switcher(each, known)));
}

// Two presses: the first asks, the second switches, if nobody else has in the meantime.
function switcher(each, known) {
  let asked = false;
  const button = el("button", { type: "button", onclick: async () => {
    if (!asked) {
      asked = true;
      button.textContent = "Really? Press again";
      return;
    }
    button.disabled = true;
    const error = await ask("PUT", "/calibrations/active", { id: each.id, expected_generation: known.generation }).then(() => null, (e) => e);
    await calibrations(error);
  }, onblur: () => {
    asked = false;
    button.textContent = "Make active";
  } }, "Make active");
  return button;
}

async function calibrations(error = null) {
  const place = byId("calibrations");
  try {
    const known = await ask("GET", "/calibrations");
    const switches = known.history.slice(0, 10).map((s) => el("li", {}, `${s.generation}: ${s.id}`));
    place.replaceChildren(el("h2", {}, "Calibrations"), ...(error ? [problem(error, "not switched")] : []),
      table(["Id", "Method", "Made", "Labels", "Held-out log loss", ""], known.calibrations.map((c) => calibrationRow(c, known))),
      el("p", { class: "quiet" }, `generation ${known.generation}; a switch needs an admin's key and holds for requests to come`),
      switches.length ? el("details", {}, el("summary", {}, "Switches"), el("ul", {}, switches)) : "");
  } catch (cause) {
    place.replaceChildren(el("h2", {}, "Calibrations"), problem(error ?? cause));
  }
}

onSubmit(async () => {
  const query = new URLSearchParams({ by: byId("by").value, window: byId("window").value });
  for (const id of ["slices", "figures", "drift"]) byId(id).replaceChildren();
  const told = calibrations();
  try {
    showSlices(await ask("GET", `/quality?${query}`));
  } finally {
    await told;
  }
});

open((info) => info && byId("ask").requestSubmit());
