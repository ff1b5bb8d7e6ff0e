// /ui: one document in, one trajectory shown.

import { Problem, rendered, scored } from "./api.js";
import { byId } from "./dom.js";
import { fillOptions, item, openIntake, options } from "./intake.js";
import { onSubmit, open, problem, showProblems } from "./shell.js";
import { trajectoryView } from "./trajectory.js";

let file = null;
const paste = byId("paste");

openIntake((documents) => {
  if (!documents.length) return;
  if (documents.length > 1) showProblems(new Problem("several", "one at a time here; Compare takes several"));
  file = documents[0];
  paste.value = "";
  byId("chosen").textContent = file.name;
  byId("ask").requestSubmit();
});
paste.addEventListener("input", () => {
  file = null;
  byId("chosen").textContent = "";
});

onSubmit(async (signal) => {
  const document = file ?? { name: "pasted", text: paste.value };
  byId("view").replaceChildren();
  if (!document.text.trim()) throw new Problem("empty", "nothing was dropped or pasted");
  const one = item(document), chosen = options();
  const [prompt, answer] = await Promise.allSettled([
    rendered(one, chosen.on_overflow, signal),
    scored({ trajectories: [one], steps: "all", ...chosen }, signal),
  ]);
  const result = answer.value?.results[0];
  // What cannot be read cannot be scored either, for the same reason: it is said once.
  const refused = answer.reason ?? (result.status === "failed" ? result.error : prompt.reason);
  if (refused) showProblems(problem(refused, document.name));
  const known = result?.status === "scored" ? result : null;
  if (prompt.value || known) byId("view").replaceChildren(trajectoryView(document.name, prompt.value, known));
  return known ? "" : "not scored";
});

open(fillOptions);
