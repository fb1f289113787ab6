/** What the lab says of a run. */

/** @typedef {import("./client.js").Run} Run */

/** A duration as a reader says it. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** What a run does before its first epoch. @param {string[]} log */
function starting(log) {
  const file = log
    .findLast((line) => line.startsWith("Downloading "))
    ?.split("/")
    .at(-1);
  return file ? `Downloading ${file}…` : "Starting: reading the data…";
}

/** How far a run is, in one line. @param {Run} run */
export function figures({ at, epochs, rate, left, state, moments, log }) {
  const live = state === "running" || state === "stopping";
  if (!epochs) return live ? starting(log) : "";
  const done = `${Number(at.toFixed(2))} of ${epochs} epochs`;
  if (!live) return `${done}, ${moments} snapshots`;
  const speed = rate ? ` · ${rate.toLocaleString("en")} images/s` : "";
  return `${done}${speed}${left === null || !rate ? "" : ` · ${duration(left)} left`}`;
}

const HEADS = {
  running: "Training…",
  stopping: "Stopping; the completed epochs are kept…",
  stopped: "",
  failed: "",
  finished: "",
};

/** What has become of a run. @param {Run} run */
export function message({ state, message }) {
  return message || HEADS[state];
}
