// data-dialog="id" opens the <dialog>, data-close closes the one around it. A dialog with data-open came with an answer
// and opens itself. Focus returns to what opened it.
import { on, onContent } from "./page";

export function dialogs(): void {
  on("click", "[data-dialog]", (opener) => {
    const dialog = document.getElementById(opener.dataset.dialog ?? "");
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  });
  on("click", "[data-close]", (element) => element.closest("dialog")?.close());
  onContent((root) => {
    const own = root.matches("dialog[data-open]") ? [root] : root.querySelectorAll("dialog[data-open]");
    for (const dialog of own) if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  });
  // A form in a dialog that was answered without errors has done its work.
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful } = (event as CustomEvent<{ elt: Element; successful: boolean }>).detail;
    if (successful && elt instanceof HTMLFormElement) elt.closest("dialog")?.close();
  });
}
