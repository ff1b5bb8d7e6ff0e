// Curves and bars as inline SVG, drawn at the width they are shown at.

import { count, plural, shown, svg } from "./dom.js";

const LEFT = 30, RIGHT = 10, FLAGS = 16, PLOT = 150, GAP = 22, BARS = 34;
const y = (value, height) => FLAGS + (1 - value) * height;
const line = (x1, y1, x2, y2, cls) => svg("line", { x1, y1, x2, y2, class: cls });
const label = (x, at, text, cls = "") => svg("text", { x, y: at, class: cls }, text);

// `story`: {turns, steps: [{turn, value}], flags: Map(turn → [flag]), tokens: [n], elided: [n],
// end: {value, low, high} | null}. `select(turn)` is called by click, Enter and arrow keys.
export function curve(story, { width, selected = null, select = null, small = false }) {
  const plot = small ? 60 : PLOT, bars = small ? 0 : BARS;
  const height = FLAGS + plot + (small ? 6 : GAP + bars);
  const left = small ? 4 : LEFT;
  const column = (width - left - RIGHT) / (story.turns + 1);
  const x = (turn) => left + (turn + 0.5) * column;
  const name = `Value after each of ${plural(story.turns, "turn")}`;
  const root = svg("svg", { class: "curve", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": name });
  for (const value of [0, 0.25, 0.5, 0.75, 1]) {
    root.append(line(left, y(value, plot), width - RIGHT, y(value, plot), value === 0.5 ? "grid half" : "grid"));
    if (!small) root.append(label(left - 5, y(value, plot) + 3.5, String(value), "end"));
  }
  if (story.steps.length) {
    const points = story.steps.map((s) => `${x(s.turn)},${y(s.value, plot)}`).join(" ");
    root.append(svg("polyline", { points, class: "path" }));
  }
  if (story.end) root.append(...ending(story.end, x(story.turns), plot, small));
  if (!small) root.append(...ticks(story, x, column, plot), ...tokenBars(story, x, column, plot));
  for (let turn = 0; turn < story.turns; turn += 1) {
    const here = { turn, x: x(turn), column, plot, height, radius: Math.min(small ? 2.5 : 4, Math.max(1.5, column / 3)) };
    root.append(point(story, here, selected, select));
  }
  if (select) root.addEventListener("keydown", (event) => arrows(event, story.turns, selected, select));
  return root;
}

function point(story, at, selected, select) {
  const value = story.steps.find((s) => s.turn === at.turn)?.value;
  const flags = story.flags.get(at.turn) ?? [];
  const said = [`turn ${at.turn}`, value === undefined ? "not scored" : shown(value), ...flags.map((f) => f.kind)].join(", ");
  const parts = [
    svg("title", {}, said),
    svg("rect", { class: "hit", x: at.x - at.column / 2, y: 0, width: at.column, height: at.height }),
  ];
  if (value !== undefined) parts.push(svg("circle", { cx: at.x, cy: y(value, at.plot), r: at.radius }));
  if (flags.length) parts.push(flagMark(at.x, 6));
  const chosen = selected === at.turn;
  if (!select) return svg("g", {}, parts);
  return svg("a", {
    href: `#turn-${at.turn}`, class: chosen ? "point chosen" : "point", "data-turn": at.turn, "aria-label": said,
    "aria-current": chosen ? "true" : null, tabindex: chosen || (selected === null && at.turn === 0) ? 0 : -1,
    onclick: (event) => { event.preventDefault(); select(at.turn, "curve"); },
  }, parts);
}

export const flagMark = (x, at) => svg("path", { class: "flag", d: `M${x - 5} ${at + 5}h10l-5 -9z` });

function ending(end, x, plot, small) {
  const parts = [];
  if (end.low !== undefined) parts.push(line(x, y(end.low, plot), x, y(end.high, plot), "whisker"));
  const at = y(end.value, plot);
  parts.push(svg("path", { class: "final", d: `M${x} ${at - 5}l5 5l-5 5l-5 -5z` }, svg("title", {}, `whole trajectory, ${shown(end.value)}`)));
  if (!small) parts.push(label(x, FLAGS + plot + 14, "end", "middle"));
  return parts;
}

function ticks(story, x, column, plot) {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => n * column >= 26) ?? 1000;
  const found = [];
  for (let turn = 0; turn < story.turns && (story.turns - turn) * column > 22; turn += step)
    found.push(label(x(turn), FLAGS + plot + 14, String(turn), "middle"));
  return found;
}

function tokenBars(story, x, column, plot) {
  const top = FLAGS + plot + GAP;
  const most = Math.max(1, ...story.tokens.map((n, turn) => n + story.elided[turn]));
  const width = Math.max(1, column * 0.7);
  return story.tokens.flatMap((n, turn) => {
    const tall = (n / most) * BARS, gone = (story.elided[turn] / most) * BARS;
    const at = { x: x(turn) - width / 2, width };
    const bar = svg("rect", { ...at, class: "tokens", y: top + BARS - tall, height: tall });
    return gone ? [bar, svg("rect", { ...at, class: "elided", y: top + BARS - tall - gone, height: gone })] : [bar];
  });
}

function arrows(event, turns, selected, select) {
  const now = selected ?? 0;
  const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: turns - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  select(Math.min(turns - 1, Math.max(0, to)), "curve");
}

// A probability with its interval on a line from 0 to 1.
export function bar(value, interval, name) {
  const said = interval ? `${name}: ${shown(value)}, ${shown(interval.low)} to ${shown(interval.high)}` : `${name}: ${shown(value)}`;
  const at = (p) => 4 + p * 192;
  return svg("svg", { class: "bar", viewBox: "0 0 200 16", role: "img", "aria-label": said },
    line(4, 8, 196, 8, "rail"), line(100, 4, 100, 12, "rail"),
    interval ? svg("rect", { class: "interval", x: at(interval.low), y: 4, width: Math.max(1, at(interval.high) - at(interval.low)), height: 8 }) : [],
    svg("circle", { cx: at(value), cy: 8, r: 4 }));
}

// A square or wide plot over [0, 1]: `lines` are {points: [[x, y]], cls}, `dots` {x, y, r, title}.
export function plot({ name, xs, lines = [], dots = [], legend = [] }) {
  const W = 340, L = 34, T = 10, R = 20, B = legend.length ? 48 : 30, H = 230 + B;
  const px = (v) => L + v * (W - L - R), py = (v) => T + (1 - v) * (H - T - B);
  const root = svg("svg", { class: "plot", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": name });
  for (const v of [0, 0.25, 0.5, 0.75, 1]) root.append(line(L, py(v), W - R, py(v), "grid"), label(L - 5, py(v) + 3.5, String(v), "end"));
  for (const [at, text] of xs) root.append(label(px(at), H - B + 15, text, at === 1 ? "end" : "middle"));
  for (const each of lines) root.append(svg("polyline", { class: each.cls, points: each.points.map(([a, b]) => `${px(a)},${py(b)}`).join(" ") }));
  for (const d of dots) root.append(svg("circle", { class: "dot", cx: px(d.x), cy: py(d.y), r: d.r }, svg("title", {}, d.title)));
  let at = L;
  for (const [text, cls] of legend) {
    root.append(line(at, H - 10, at + 18, H - 10, cls), label(at + 23, H - 6, text));
    at += 40 + 6 * text.length;
  }
  return root;
}

// The last samples of a number that has no upper end.
export function spark(values, name) {
  const W = 300, H = 48, most = Math.max(1, ...values);
  const points = values.map((v, n) => `${W - (values.length - 1 - n) * (W / 149)},${H - 2 - (v / most) * (H - 8)}`).join(" ");
  return svg("svg", { class: "spark", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${name}, at most ${count(most)}` },
    line(0, H - 2, W, H - 2, "grid"), svg("polyline", { class: "path", points }));
}
