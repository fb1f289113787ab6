/** Menus: details elements of the class menu. */

const opened = () => document.querySelectorAll("details.menu[open]");

/** Closes open menus on Escape, and on a press elsewhere. */
export function startMenus() {
  document.addEventListener("pointerdown", ({ target }) => {
    for (const menu of opened()) {
      if (!(target instanceof Node && menu.contains(target))) menu.removeAttribute("open");
    }
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const menu of opened()) {
      const focused = menu.contains(document.activeElement);
      menu.removeAttribute("open");
      if (focused) menu.querySelector("summary")?.focus();
    }
  });
}
