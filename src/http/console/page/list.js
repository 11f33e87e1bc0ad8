// Lists: one item is reached by Tab, the others from there by arrows.

import { make } from "./detail.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/** Fills a list with items, which are buttons; one that had the focus has it again. */
export function fill(list, items, empty) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const none = make("li", { class: "empty", text: empty });
  list.replaceChildren(...(items.length > 0 ? items.map((item) => make("li", {}, item)) : [none]));
  const first = items.find((item) => item.getAttribute("aria-current") === "true") ?? items[0];
  for (const item of items) {
    item.tabIndex = item === first ? 0 : -1;
  }
  if (focused !== undefined) {
    items.find((item) => item.dataset.key === focused)?.focus();
  }
}

/** Lets arrows, Home and End walk through a list. */
export function walked(list) {
  list.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const items = [...list.querySelectorAll("button.item")];
    const at = items.indexOf(document.activeElement);
    if (step === undefined || at < 0) {
      return;
    }
    event.preventDefault();
    const next = items[Math.max(0, Math.min(items.length - 1, at + step))];
    items[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}
