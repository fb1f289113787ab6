/**
 * The run that this user has started, with the token that stops it; other users cannot. It is
 * kept where the browser keeps anything, so that the page may be closed meanwhile.
 */

const KEPT = "lab-run";
/** @type {{ name: string, token: string }} where the browser keeps nothing */
let own = { name: "", token: "" };

/** @param {string} name @param {string} token */
export function keepRun(name, token) {
  own = { name, token };
  try {
    localStorage.setItem(KEPT, JSON.stringify(own));
  } catch {}
}

/** The newest one. @returns {{ name: string, token: string }} */
export function ownRun() {
  try {
    return { ...own, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return own;
  }
}

/** Whether this user may stop the run that goes on. @param {import("./client.js").Status} status */
export function mayStop({ may_stop, run }) {
  return may_stop || run?.name === ownRun().name;
}
