/** The model in the address: ?model=key before the #; without it, the server's default model. */

const NAME = "model";

/** The key in an address, or null. @param {string} href */
export function modelIn(href) {
  return new URL(href).searchParams.get(NAME) || null;
}

/**
 * An address with another model, and with nothing after #: a position of one model means nothing
 * in another.
 *
 * @param {string} href @param {string | null} key null: the default one
 */
export function addressOf(href, key) {
  const address = new URL(href);
  if (key) address.searchParams.set(NAME, key);
  else address.searchParams.delete(NAME);
  address.hash = "";
  return address.href;
}
