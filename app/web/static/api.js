// One way to ask the API. Every failure is a Problem with a code and a message; nothing is made up.

const LONGEST_MS = 180_000; // above what the server gives an interactive request
const STORED = "swe-rm-key"; // sessionStorage: gone with the tab, never sent to another host

export const key = {
  get: () => sessionStorage.getItem(STORED) ?? "",
  set: (text) => (text ? sessionStorage.setItem(STORED, text) : sessionStorage.removeItem(STORED)),
};

export class Problem extends Error {
  constructor(code, message, status = null) {
    super(message);
    Object.assign(this, { code, status });
  }
}

async function fetched(method, path, body, signal) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (key.get()) headers.authorization = `Bearer ${key.get()}`;
  try {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const clock = AbortSignal.timeout(LONGEST_MS);
    const ended = signal ? AbortSignal.any([signal, clock]) : clock;
    return await fetch(path, { method, headers, body: sent, signal: ended, redirect: "error" });
  } catch (cause) {
    if (cause.name === "AbortError") throw new Problem("stopped", "stopped before the answer came");
    throw new Problem("unreachable", `the server did not answer (${cause.message})`);
  }
}

export async function ask(method, path, body, signal) {
  const answer = await fetched(method, path, body, signal);
  const text = await answer.text().catch(() => "");
  if (signal?.aborted) throw new Problem("stopped", "stopped before the answer came");
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    throw new Problem("unreadable_answer", `${path} answered ${answer.status} and no JSON`, answer.status);
  }
  if (answer.ok) return said;
  const wait = answer.headers.get("retry-after");
  const hint = answer.status === 401 ? " – type an API key into the field at the top" : "";
  const again = wait ? ` – try again in ${wait} s` : "";
  throw new Problem(said.code ?? "error", (said.detail ?? said.title ?? "") + hint + again, answer.status);
}

// The scored results of a request, or its Problem.
export const scored = (body, signal) => ask("POST", "/score", body, signal);
export const ranked = (body, signal) => ask("POST", "/rerank", body, signal);
export const rendered = (item, overflow, signal) =>
  ask("POST", `/tokenize?texts=true&on_overflow=${encodeURIComponent(overflow)}`, item, signal);
