/** Images that are chosen or dropped: each is shown on the pad, and what its frame holds is read. */

import { find, findInput } from "../core/dom.js";
import { PhotoCrop } from "./photo_crop.js";
import { base64Of, smaller } from "./smaller.js";

/** @typedef {import("./reader.js").Reader} Reader */

const UNSHARED =
  "The image belongs to another page, which does not share it. Save it, then upload the file.";
const UNREADABLE = "The file cannot be read. Choose an image file, not a folder.";

/**
 * @typedef {{
 *   reader: Reader, maxBytes: number, onShown: () => void, onFailure: (message: string) => void,
 * }} Options `onShown`: called when an image covers the pad
 */

export class Uploads {
  #data = ""; // of the image on the pad, in base64
  #photo;
  #options;

  /** @param {HTMLElement} root @param {Options} options */
  constructor(root, options) {
    this.#options = options;
    this.#photo = new PhotoCrop(find(root, ".sheet"), (crop) => {
      options.reader.readFile(this.#data, crop);
    });
    const input = findInput(root, ".upload input");
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (file) this.readFile(file);
      input.value = ""; // allows choosing the same file again
    });
  }

  /** Uncovers the pad. */
  hide() {
    this.#photo.hide();
  }

  /** @param {Blob} file */
  async readFile(file) {
    const { reader, maxBytes, onShown, onFailure } = this.#options;
    const isNewest = reader.begin();
    try {
      const sent = await smaller(file);
      if (!isNewest()) return;
      if (sent.size > maxBytes) {
        const limit = Math.floor(maxBytes / 10 ** 6);
        onFailure(`The file is larger than ${limit} MB. Choose a smaller image.`);
        return;
      }
      const data = await base64Of(sent);
      if (!isNewest()) return;
      this.#data = data;
      const shown = await this.#photo.show(sent);
      if (!isNewest()) return;
      if (shown) onShown();
    } catch {
      if (isNewest()) onFailure(UNREADABLE);
      return;
    }
    const ink = await reader.readFile(this.#data);
    if (ink) this.#photo.found(ink);
  }

  /**
   * Reads what was dropped: a file, or an image of another page, which comes as its address.
   *
   * @param {DataTransfer} dropped
   */
  readDropped(dropped) {
    const [file] = dropped.files;
    const lines = dropped.getData("text/uri-list").split(/\r?\n/);
    const address = lines.find((line) => line && !line.startsWith("#"));
    if (file) this.readFile(file);
    else if (address) this.#readAddress(address);
    else this.#options.onFailure(UNSHARED);
  }

  /** @param {string} address */
  async #readAddress(address) {
    const { reader, onFailure } = this.#options;
    const isNewest = reader.begin();
    const blob = await fetch(address)
      .then((response) => (response.ok ? response.blob() : null))
      .catch(() => null);
    if (!isNewest()) return;
    if (blob?.type.startsWith("image/")) this.readFile(blob);
    else onFailure(UNSHARED);
  }
}
