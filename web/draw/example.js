/** What the panel shows before the first image is read: what the model makes of a test image. */

import { contextOf, find, findCanvas, paintImage, signed } from "../core/dom.js";

/**
 * The function that fills the example in. It takes the test image nearest to where the page opens:
 * the browser has fetched that one already.
 *
 * @param {import("../page.js").Page} page @param {HTMLElement} element of the example
 */
export function makeExample({ props, encodings, images }, element) {
  return async () => {
    try {
      const [known] = await Promise.all([encodings, images.loaded]);
      known.around.find(props.anchors.typical[props.start]);
      const index = known.around.indices[0];
      const z = known.positionOf(index);
      const [levels] = await known.images([index]);
      paintImage(findCanvas(element, ".given"), levels);
      find(element, ".code").textContent = `x ${signed(z.x)}\ny ${signed(z.y)}`;
      images.paint(contextOf(findCanvas(element, ".returned")), z);
      element.dataset.state = "shown";
    } catch {} // the map says what could not be loaded
  };
}
