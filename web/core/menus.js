/** Menus: details elements of the class menu; those of the class stays stay open while the page is used. */

const opened = (kind = "") => document.querySelectorAll(`details.menu${kind}[open]`);

/** Closes open menus on Escape and, unless they stay, on a press elsewhere. */
export function startMenus() {
  document.addEventListener("pointerdown", ({ target }) => {
    for (const menu of opened(":not(.stays)")) {
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
