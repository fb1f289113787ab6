/** What has come of the lessons, kept where the browser keeps anything: a reload loses none of it. */

/** @typedef {import("./course.js").Outcome} Outcome */
/** @typedef {{ current: string, outcomes: Record<string, Outcome> }} Kept names of lessons */

const KEPT = "lessons"; // followed by the model

/** @param {unknown} value @returns {value is Outcome} */
function isOutcome(value) {
  const { how, at, message, images } = /** @type {any} */ (value ?? {});
  return (
    ["solved", "shown"].includes(how) &&
    Number.isFinite(at?.x) &&
    Number.isFinite(at?.y) &&
    typeof message === "string" &&
    Array.isArray(images)
  );
}

// Browsers may refuse their storage in frames and private windows, or it may be full or hold
// what another version has written.
/** @param {string} model @param {readonly string[]} names of its lessons, in their order */
export function keptLessons(model, names) {
  /** @type {Partial<Kept> | null} */
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(`${KEPT} ${model}`) ?? "null");
  } catch {}
  const outcomes = names.map((name) => kept?.outcomes?.[name]);
  return {
    current: Math.max(0, names.indexOf(kept?.current ?? "")),
    outcomes: outcomes.map((outcome) => (isOutcome(outcome) ? outcome : null)),
  };
}

/**
 * @param {string} model @param {readonly string[]} names
 * @param {number} current @param {readonly (Outcome | null)[]} outcomes
 */
export function keepLessons(model, names, current, outcomes) {
  const ended = names.flatMap((name, i) => (outcomes[i] ? [[name, outcomes[i]]] : []));
  const kept = { current: names[current], outcomes: Object.fromEntries(ended) };
  try {
    localStorage.setItem(`${KEPT} ${model}`, JSON.stringify(kept));
  } catch {}
}
