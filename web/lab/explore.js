/** From a finished run to the page of its model. */

/**
 * The key of a model in the page's menu is the name of its run.
 *
 * @param {import("../page.js").Page} page @param {string} name
 */
export async function exploreRun(page, name) {
  const { models } =
    /** @type {{ models?: { refresh(): Promise<void>, choose(key: string): void } }} */ (
      /** @type {unknown} */ (page)
    );
  await models?.refresh();
  models?.choose(name);
}
