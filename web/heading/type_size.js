/** The switch to larger type, for projectors. It is kept where the browser keeps anything. */

const KEPT = "large-type";

// Browsers may refuse their storage in frames and private windows, or it may be full.
/** @param {boolean} large */
function keep(large) {
  try {
    localStorage.setItem(KEPT, `${large}`);
  } catch {}
}

function wasLarge() {
  try {
    return localStorage.getItem(KEPT) === "true";
  } catch {
    return false;
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
    keep(large);
    show(large);
    state.viewChanged(); // the map draws its own text
  });
  show(wasLarge());
}
