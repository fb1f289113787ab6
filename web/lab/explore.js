/** From a finished run to the page of its model. */

/**
 * The key of a model in the page's menu is the name of its run.
 *
 * @param {import("../page.js").Page} page @param {string} name
 * @throws {import("../core/server.js").ServerError} with a sentence to show
 */
export async function exploreRun({ models }, name) {
  await models.refresh();
  await models.choose(name);
}
