// Runs before anything else, so it is no module: says in words why the page does not start, where it would
// stay blank, and lets the page come to rest.
(() => {
  const SANDBOXED =
    "This page cannot start in a sandboxed frame. Open it in a tab of its own, or add allow-same-origin to the frame's sandbox attribute.";
  const OLD =
    "This page needs Chrome 120, Firefox 121, Safari 17.2 or a newer version; in this browser, parts of it may not work.";
  const INCOMPLETE = "A part of this page could not be loaded. Check the connection and reload.";

  /** @param {string} sentence */
  function report(sentence) {
    document.querySelector(".startup-fault")?.remove();
    const fault = document.createElement("p");
    fault.className = "startup-fault";
    fault.setAttribute("role", "alert");
    const link = document.createElement("a");
    Object.assign(link, { href: location.href, target: "_blank", textContent: location.href });
    fault.append(sentence, document.createElement("br"), link);
    document.body.prepend(fault);
  }

  // What the page cannot do without; all else it replaces or leaves out.
  /** @type {[object, string][]} */
  const NEEDED = [
    [self, "ResizeObserver"],
    [self, "HTMLDialogElement"],
    [self, "PointerEvent"],
    [self, "reportError"],
    [Document.prototype, "adoptedStyleSheets"],
    [Element.prototype, "ariaPressed"],
    [Array.prototype, "at"],
  ];

  // Nesting and :has() are the newest; a browser of today that has both has the rest (sources:
  // CONTRIBUTING.md), unless something has taken it away.
  function isOld() {
    if (NEEDED.some(([owner, name]) => !(name in owner))) return true;
    const nested = document.createElement("style");
    nested.textContent = "main { p { margin: 0 } }";
    document.head.append(nested);
    const rule = /** @type {CSSStyleRule | undefined} */ (nested.sheet?.cssRules[0]);
    nested.remove();
    return !rule?.cssRules?.length || !CSS.supports("selector(:has(p))");
  }

  // A frame without allow-same-origin has the origin "null", from which no module can be loaded.
  const old = isOld();
  const sentence = self.origin === "null" ? SANDBOXED : old ? OLD : INCOMPLETE;
  if (old) addEventListener("DOMContentLoaded", () => report(sentence));
  /** @param {ErrorEvent} event */
  const failed = ({ target }) => {
    const isStyle = target instanceof HTMLLinkElement && target.rel === "stylesheet";
    if (target instanceof HTMLScriptElement || isStyle) report(sentence);
  };
  addEventListener("error", failed, { capture: true }); // events of elements do not bubble
  addEventListener("startupfault", () => report(sentence)); // from app/workspace.py
})();

(() => {
  // Gradio 6.31 never ends the loop of frames of its loading message, so that every page would work 60
  // times a second while nothing happens. Nothing of ours uses that message.
  const request = window.requestAnimationFrame;
  window.requestAnimationFrame = (callback) =>
    new Error().stack?.includes("/statustracker-") ? 0 : request(callback);
})();
