/** What the page asks of the lab's routes; see app/lab_routes.py. */

import { unpack } from "../core/packed.js";
import { keepRun, ownRun } from "./own_run.js";

/** @typedef {import("../training/replay.js").Replay} Replay */

/**
 * lab/run.py.
 *
 * @typedef {{
 *   name: string, title: string, state: "running" | "stopping" | "stopped" | "failed" | "finished",
 *   message: string, log: string[], command: string, can_resume: boolean, finished: boolean,
 *   starts: number, latent_dim: number, class_names: string[], items: string,
 *   at: number, epochs: number, rate: number, left: number | null, images: number,
 *   moments: number, saved: number, lesson?: Verdict | null,
 * }} Run
 * @typedef {{ key: string, title: string, done: boolean, message: string, learnt: string }} Verdict
 * @typedef {{ key: string, title: string, task: string, measured: string, values: Values }} Lesson
 * @typedef {Pick<Run, "name" | "title" | "state" | "message" | "can_resume" | "starts" | "moments" | "class_names">} ListedRun
 * @typedef {{ message: string, may_stop: boolean, run: Run | null, runs: ListedRun[] }} Status
 * @typedef {Record<string, number>} Values
 * @typedef {{
 *   message: string, usual: Values, fields: Record<string, { min: number, max: number, step: number }>,
 *   datasets: { key: string, label: string, size: number | null, items: string }[],
 *   presets: { key: string, label: string, help: string, values: Values }[],
 *   lessons: Lesson[],
 * }} Form
 */

const LOST = "The server is not responding. Try again.";

/** An answer that did not come, or says why not. */
export class LabError extends Error {
  name = "LabError";
}

/** @param {string} path @param {RequestInit} [options] */
async function request(path, options) {
  const answer = await fetch(new URL(`lab/${path}`, document.baseURI), options).catch(() => null);
  if (!answer) throw new LabError(LOST);
  return answer;
}

/** @param {Response} answer */
async function jsonOf(answer) {
  const content = await answer.json().catch(() => null);
  if (!content) throw new LabError(LOST);
  if (content.error || !answer.ok) throw new LabError(content.error ?? content.detail ?? LOST);
  return content;
}

export const client = {
  /** @returns {Promise<Status>} */
  status: async () => jsonOf(await request("status")),

  /** @returns {Promise<Form>} */
  form: async () => jsonOf(await request("form")),

  /**
   * @param {"check" | "start" | "stop" | "resume"} action @param {object} values
   * @returns {Promise<any>}
   * @throws {LabError} with a sentence to show
   */
  act: async (action, values = {}) => {
    const sent = action === "stop" ? { token: ownRun().token } : values;
    const answer = await jsonOf(
      await request(action, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(sent),
      }),
    );
    if (answer.token) keepRun(answer.run.name, answer.token);
    return answer;
  },

  /**
   * The snapshots `first` ... `last` - 1 of a run.
   *
   * @param {Pick<Run, "name" | "starts">} run @param {number} first @param {number} last
   * @returns {Promise<Replay>}
   */
  part: async ({ name, starts }, first, last) => {
    const answer = await request(
      `moments/${encodeURIComponent(name)}/${starts}/${first}-${last}.bin`,
    );
    if (!answer.ok) throw new LabError(LOST);
    return /** @type {Replay} */ (unpack(await answer.arrayBuffer()));
  },
};
