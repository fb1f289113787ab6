/** Asks what the encoder makes of the user's images. */

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./crop.js").Crop} Crop */

const MOVE_MS = 400; // to where the image lands

export class Reader {
  #page;
  #onWait;

  /** @param {Page} page @param {() => void} onWait called before every wait for an answer */
  constructor(page, onWait) {
    this.#page = page;
    this.#onWait = onWait;
  }

  /** Begins what makes all before it outdated; whether it still is the newest. */
  begin() {
    const isNewest = this.#page.state.beginReading();
    this.#onWait();
    return isNewest;
  }

  /**
   * Shows what the encoder makes of an image file and moves the cursor there; the box of its ink, or
   * null if there is no answer or something newer was begun.
   *
   * @param {string} data a file in base64
   * @param {Readonly<Crop>} [crop] where the item is; else Python finds it
   * @returns {Promise<Crop | null>}
   */
  async readFile(data, crop) {
    return (await this.#read("drawn", data, crop ?? null))?.crop ?? null;
  }

  /** The same for a drawing. @param {Readonly<import("./pad.js").Point[][]>} strokes */
  async readStrokes(strokes) {
    await this.#read("strokes", strokes);
  }

  /** @param {string} name of a function of Python @param {...unknown} values */
  async #read(name, ...values) {
    const isNewest = this.begin();
    const { server, state } = this.#page;
    const asked = state.moves;
    try {
      const answer = await server.ask(name, ...values);
      if (!isNewest()) return null;
      state.showReading({ ...answer, fromUser: true });
      state.arrive(asked, [state.plane.position(answer.mu)], MOVE_MS, "reading");
      return answer;
    } catch (error) {
      if (!isNewest()) return null;
      state.showReading({ error: /** @type {Error} */ (error).message, fromUser: true });
      return null;
    }
  }
}
