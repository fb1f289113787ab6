/** What the panel shows before the first image is read: what the model makes of a test image. */

/**
 * The function that shows the example, fetched once. It takes the test image nearest to where the
 * page opens.
 *
 * @param {import("../page.js").Page} page @param {import("./reading.js").ReadingView} view
 */
export function makeExample({ props, encodings, server }, view) {
  /** @type {import("../core/reading.js").Reading | null} */
  let example = null;
  return async () => {
    try {
      if (!example) {
        const { around } = await encodings;
        around.find(props.anchors.typical[props.start]);
        example = await server.ask("test_digit", around.indices[0]);
      }
      if (example) view.showExample(example);
    } catch {} // the panel invites to draw all the same
  };
}
