// What /score and /tokenize said of one trajectory → what is drawn of it.

export function storyOf(shownPrompt, result) {
  const segments = shownPrompt?.segments ?? [];
  const steps = result?.steps ?? [];
  const flags = new Map();
  for (const flag of result?.flags ?? []) flags.set(flag.turn, [...(flags.get(flag.turn) ?? []), flag]);
  const turns = shownPrompt?.turns ?? Math.max(0, ...steps.map((s) => s.turn + 1));
  const sum = (turn, of) => segments.filter((s) => s.turn === turn).reduce((n, s) => n + of(s), 0);
  const each = (of) => Array.from({ length: turns }, (_, turn) => sum(turn, of));
  // Steps of one curve are all calibrated or all raw; the whole trajectory is shown in the same terms.
  const calibrated = steps.length > 0 && steps.every((s) => s.probability !== null);
  const value = (s) => (calibrated ? s.probability : s.raw_probability);
  const raw = result && steps.length > 0 && !calibrated;
  return {
    turns, flags, calibrated, result, exit: shownPrompt?.exit ?? null,
    steps: steps.map((s) => ({ turn: s.turn, value: value(s) })),
    tokens: each((s) => s.end - s.start),
    elided: each((s) => s.elided_tokens),
    end: !result ? null : raw ? { value: result.raw_probability } : { value: result.probability, ...(result.interval ?? {}) },
    entries: entriesOf(segments, turns),
  };
}

function entriesOf(segments, turns) {
  const of = (test) => segments.filter(test);
  const found = [{ id: "issue", title: "Issue", segments: of((s) => s.turn === null && (s.role === "issue" || s.role === "briefing")) }];
  for (let turn = 0; turn < turns; turn += 1)
    found.push({ id: turn, title: `Turn ${turn}`, segments: of((s) => s.turn === turn) });
  found.push({ id: "patch", title: "Patch", segments: of((s) => s.role === "patch") });
  found.push({ id: "question", title: "Question", segments: of((s) => s.role === "question") });
  found.push({ id: "all", title: "Whole prompt", segments });
  return found.filter((entry) => entry.segments.length);
}

export const textOf = (segment) => segment.pieces.filter((p) => !p.control).map((p) => p.text).join("");

// The first words of a turn, without the line that the template puts before them.
export function gist(entry) {
  const lines = textOf(entry.segments[0]).split("\n").slice(1).map((line) => line.trim()).filter(Boolean);
  return (lines[0] ?? "").slice(0, 160);
}

// Where the value rose and fell most between neighbouring turns that were scored.
export function moments(steps) {
  const moves = steps.slice(1).map((s, n) => ({ turn: s.turn, from: steps[n].value, to: s.value, by: s.value - steps[n].value }));
  const most = (sign) => moves.filter((m) => m.by * sign > 0.05).sort((a, b) => (b.by - a.by) * sign)[0];
  return { rise: most(1), fall: most(-1) };
}
