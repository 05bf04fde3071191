// Shortcuts: ? shows them, / and Ctrl K search, and data-key="g" on a link or button is pressed by its key.
import { isTyping, openDialog } from "./page";

export function keys(): void {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      search();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target) || openDialog()) return;
    if (event.key === "?") {
      document.querySelector<HTMLElement>('[data-dialog="keys"]')?.click();
    } else if (event.key === "/") {
      event.preventDefault();
      search();
    } else if (pressKey(event)) {
      event.preventDefault();
    }
  });
}

function search(): void {
  const fields = document.querySelectorAll<HTMLInputElement>("[data-search]");
  const seen = [...fields].find((field) => field.offsetParent !== null);
  seen?.focus();
  seen?.select();
}

/** Presses what carries the event's key, and tells whether there was such a thing. */
export function pressKey(event: KeyboardEvent): boolean {
  const onControl = event.target instanceof Element && event.target.closest("a, button, summary, input");
  if (event.key === "Enter" && onControl) return false;
  for (const element of document.querySelectorAll<HTMLElement>("[data-key]")) {
    const wanted = element.dataset.key?.toLowerCase() === event.key.toLowerCase();
    if (wanted && element.offsetParent !== null && !element.matches(":disabled, [aria-disabled=true], .btn-disabled")) {
      element.click();
      return true;
    }
  }
  return false;
}
