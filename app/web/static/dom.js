// Elements out of data. Text always becomes a text node: markup in it stays text.

const SVG = "http://www.w3.org/2000/svg";

function filled(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

export const el = (tag, props = {}, ...children) =>
  filled(document.createElement(tag), props, children);
export const svg = (tag, props = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), props, children);
export const byId = (id) => document.getElementById(id);

// A file's name, which may be broken after its marks.
export const breakable = (name) => name.split(/(?<=[_./-])(?![_./-])/).flatMap((part, n) => (n ? [el("wbr"), part] : [part]));

// 0.42; what is neither 0 nor 1 never looks like it.
export function shown(p) {
  if (p > 0.995 && p < 1) return "> 0.99";
  if (p > 0 && p < 0.005) return "< 0.01";
  return p.toFixed(2);
}

export const signed = (d) => (d < 0 ? "−" : "+") + Math.abs(d).toFixed(2);
export const count = (n) => n.toLocaleString("en-US");
export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

export function table(heads, rows, props = {}) {
  const head = el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)));
  return el("div", { class: "wide" }, el("table", props, el("thead", {}, head), el("tbody", {}, rows)));
}
