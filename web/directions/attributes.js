/** The attributes of the image at the cursor, each with a button for less and one for more of it. */

import { find, make, makeButton, percent } from "../core/dom.js";
import { makeArrow } from "./arrow.js";
import { makeExample } from "./example.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/plane.js").Plane} Plane */
/** @typedef {{ message: string, direction: number, vector?: number[] }} Attribute what Python says of one */

const FAINT = 0.25; // opacity of the arrow of a step that leaves the plane
const FAILED = "failed"; // what a message is of, beside the reasons why a step was not taken
const STEP_MS = 260; // of a step's animation

/**
 * A button for less or more of an attribute, and the function that points its arrow.
 *
 * @param {string} className @param {string} text @param {() => void} press
 */
function makeNudge(className, text, press) {
  const { arrow, point } = makeArrow();
  const icon = make("i");
  const button = makeButton("", press);
  button.className = className;
  button.append(make("span", text), icon);
  const show = (/** @type {number} */ degrees, /** @type {number} */ share) => {
    point(degrees);
    icon.style.opacity = `${Math.max(FAINT, share)}`;
    icon.replaceChildren(arrow); // there is none before the first answer
  };
  return { button, show };
}

/**
 * The direction on the map of an attribute's gradient, in degrees, and how much of its length lies in
 * the plane.
 *
 * @param {Attribute} attribute @param {Plane} plane
 */
export function directionOnMap({ direction, vector }, plane) {
  if (!vector) return { degrees: direction, share: 1 };
  const [x, y] = plane.project(vector);
  return { degrees: (Math.atan2(y, x) * 180) / Math.PI, share: Math.hypot(x, y) };
}

export class Attributes {
  /** @type {Map<string, (attribute: Attribute) => void>} */
  #rows = new Map();
  #busy = false;
  #page;
  #root;
  #message;
  #showExample;

  /** @param {Page} page @param {HTMLElement} root */
  constructor(page, root) {
    this.#page = page;
    this.#root = root;
    this.#message = find(root, ".message");
    this.#showExample = makeExample(page, find(root, ".example"));
    const rows = page.props.attributes.map((record) => this.#makeRow(record));
    find(root, ".attributes").append(...rows);
  }

  /** @param {import("../core/view.js").Position} z @param {Record<string, Attribute>} attributes there */
  show(z, attributes) {
    if (this.#message.dataset.stopped === FAILED) this.#describe("", "");
    this.#showExample(z, attributes[this.#page.props.attributes[0].name].direction);
    for (const [name, attribute] of Object.entries(attributes)) this.#rows.get(name)?.(attribute);
  }

  /** Says why there are no attributes. @param {string} message */
  fail(message) {
    this.#describe(message, FAILED);
  }

  /** @param {import("../page.js").Props["attributes"][number]} record */
  #makeRow({ name, term, less, more }) {
    const row = make("div", "", "attribute");
    row.dataset.name = name;
    const value = make("b", "…", "value");
    const down = makeNudge("less", less, () => this.#nudge(name, -1));
    const up = makeNudge("more", more, () => this.#nudge(name, 1));
    row.append(make("span", term, "term"), down.button, value, up.button);
    const { plane } = this.#page.state;
    this.#rows.set(name, (attribute) => {
      value.textContent = attribute.message;
      const { degrees, share } = directionOnMap(attribute, plane);
      down.show(degrees + 180, share);
      up.show(degrees, share);
      if (plane.isWhole) return;
      row.title = `${percent(share)} of the length of a step lies in the plane of the map`;
    });
    return row;
  }

  /** A step along an attribute's gradient. @param {string} name @param {1 | -1} sign */
  async #nudge(name, sign) {
    if (this.#busy) return;
    this.#setBusy(true);
    const { server, state } = this.#page;
    const { plane } = state;
    const from = state.goal; // while a step is still animated, the next one starts from its end
    const asked = state.moves;
    try {
      const { message, stopped, path } = await server.ask(
        "nudge",
        ...plane.asked(from),
        name,
        sign,
      );
      this.#describe(message, stopped ?? "");
      const points = path.map((/** @type {number[]} */ z) => plane.position(z));
      state.arrive(asked, points.length > 1 ? points.slice(1) : points, STEP_MS, "nudge");
    } catch (error) {
      this.#describe(/** @type {Error} */ (error).message, FAILED);
    }
    this.#setBusy(false);
  }

  /** @param {string} message @param {string} stopped */
  #describe(message, stopped) {
    this.#message.textContent = message;
    this.#message.dataset.stopped = stopped;
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.#busy = busy;
    this.#root.dataset.busy = `${busy}`;
  }
}
