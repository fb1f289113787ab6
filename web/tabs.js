/** The tabs, as the ARIA Authoring Practices describe them: arrow keys move along the row. */

const KEYS = {
  ArrowLeft: -1,
  ArrowRight: 1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/**
 * Each button of role tab opens the panel that it controls; the open one's is `state.tab`.
 *
 * @param {import("./core/state.js").PageState} state @param {HTMLElement} element
 * @param {string} [first] the tab that is open at first, where this model has it
 */
export function startTabs(state, element, first = "") {
  const tabs = [...element.querySelectorAll("[role=tab]:not([hidden])")].map(
    (tab) => /** @type {HTMLButtonElement} */ (tab),
  );
  const keyOf = (/** @type {HTMLElement} */ tab) => tab.id.replace(/^tab-/, "");
  const panelOf = (/** @type {HTMLElement} */ tab) =>
    document.getElementById(tab.getAttribute("aria-controls") ?? "");

  // Moves the row alone: scrollIntoView would scroll the page of a phone, too.
  function keepInRow(/** @type {HTMLElement} */ tab) {
    const [row, box] = [element.getBoundingClientRect(), tab.getBoundingClientRect()];
    element.scrollLeft += Math.min(0, box.left - row.left) + Math.max(0, box.right - row.right);
  }

  function show() {
    for (const tab of tabs) {
      const open = keyOf(tab) === state.tab;
      tab.ariaSelected = `${open}`;
      tab.tabIndex = open ? 0 : -1;
      if (open) keepInRow(tab);
      const panel = panelOf(tab);
      if (panel) panel.hidden = !open;
    }
  }

  /** @param {HTMLButtonElement} tab */
  function open(tab) {
    state.openTab(keyOf(tab));
    // On a phone the readout above has filled the screen.
    panelOf(tab)?.scrollIntoView({ block: "start" });
  }

  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener("click", () => open(tab));
    tab.addEventListener("keydown", (event) => {
      const step = KEYS[/** @type {keyof typeof KEYS} */ (event.key)];
      if (step === undefined) return;
      event.preventDefault();
      const last = tabs.length - 1;
      const next = Number.isFinite(step)
        ? (i + step + tabs.length) % tabs.length
        : step < 0
          ? 0
          : last;
      tabs[next].focus();
      open(tabs[next]);
    });
  }
  state.subscribe("tab", show);
  state.openTab(tabs.some((tab) => keyOf(tab) === first) ? first : keyOf(tabs[0]));
}
