/** The switch to larger type, for projectors. It is kept where the browser keeps anything. */

const KEPT = "large-type";

/** localStorage, or null: browsers may refuse it in frames and private windows. */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** @param {import("../core/state.js").PageState} state @param {HTMLButtonElement} button */
export function startTypeSize(state, button) {
  const { classList } = document.documentElement;
  function show(/** @type {boolean} */ large) {
    classList.toggle("large-type", large);
    button.ariaPressed = `${large}`;
  }
  button.addEventListener("click", () => {
    const large = !classList.contains("large-type");
    storage()?.setItem(KEPT, `${large}`);
    show(large);
    state.viewChanged(); // the map draws its own text
  });
  show(storage()?.getItem(KEPT) === "true");
}
