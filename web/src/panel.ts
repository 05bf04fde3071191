// The side panel: Esc or its cross closes it without a round trip when htmx opened it; else its link leads back to the
// list. The row it belongs to stays marked.
import { isTyping, on, openDialog } from "./page";

const panel = (): HTMLElement | null => document.querySelector("[data-side-panel]");

export function sidePanel(): void {
  on("click", "[data-close-panel]", (link, event) => {
    const open = panel();
    if (!open) return;
    event.preventDefault();
    const empty = document.createElement("aside");
    empty.id = open.id;
    empty.hidden = true;
    open.replaceWith(empty);
    mark(undefined);
    const href = link.getAttribute("href");
    if (href) window.history.replaceState(null, "", href);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || openDialog() || isTyping(event.target)) return;
    panel()?.querySelector<HTMLElement>("[data-close-panel]")?.click();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, target, successful } = (event as CustomEvent<{ elt: Element; target?: Element; successful: boolean }>).detail;
    const row = elt.closest<HTMLElement>("tr[data-href]");
    if (successful && row && target?.id === "side") mark(row);
  });
}

function mark(row: HTMLElement | undefined): void {
  for (const other of document.querySelectorAll('tr[aria-selected="true"]')) other.removeAttribute("aria-selected");
  row?.setAttribute("aria-selected", "true");
}
