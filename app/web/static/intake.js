// Documents in: dropped, chosen or pasted. They are sent as the text they are; the server reads formats.

import { Problem } from "./api.js";
import { byId, el } from "./dom.js";
import { info, showProblems } from "./shell.js";

const bytes = (n) => (n < 1024 ? `${n} B` : n < 1048576 ? `${(n / 1024).toFixed(0)} KiB` : `${(n / 1048576).toFixed(1)} MiB`);

function checked(name, size) {
  const most = info?.limits.max_item_bytes;
  if (most && size > most) throw new Problem("body_too_large", `${name} is ${bytes(size)}; the server takes ${bytes(most)}`);
}

async function read(file) {
  checked(file.name, file.size);
  return { name: file.name, text: await file.text() };
}

// `taken(documents)` is called with [{name, text}] of each drop or choice.
export function openIntake(taken) {
  const zone = byId("drop");
  const take = async (files) => {
    showProblems();
    const found = await Promise.allSettled([...files].map(read));
    showProblems(...found.filter((f) => f.status === "rejected").map((f) => f.reason));
    taken(found.filter((f) => f.status === "fulfilled").map((f) => f.value));
  };
  byId("file").addEventListener("change", (event) => {
    take(event.target.files);
  });
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return; // text dropped into the field pastes itself
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer.files);
  });
}

export function fillOptions(known) {
  if (!known) return;
  const fill = (id, first, names) =>
    byId(id).replaceChildren(...[first, ...names.filter((n) => n !== first)].map((n) => el("option", { value: n }, n)));
  fill("calibration", "active", known.calibrations ?? []);
  fill("format", "auto", known.formats);
}

export function item({ name, text }) {
  checked(name, text.length);
  const made = { trajectory: text, format: byId("format").value, id: [...name].slice(0, 120).join("") };
  const issue = byId("issue").value.trim();
  return issue ? { ...made, issue } : made;
}

export const options = () => ({
  calibration: byId("calibration").value,
  on_overflow: byId("overflow").value,
  priority: "interactive",
});
