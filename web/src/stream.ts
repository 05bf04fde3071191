// Live updates (sse-connect): htmx's extension reconnects by itself; this says when they have been gone for a while, so
// that nobody trusts a figure that stands still, and when they are back.
import { text } from "./page";
import { showToast } from "./toast";

const patience = 8000; // ms without a stream before it is said

export function streams(): void {
  let waiting: number | undefined;
  let said = false;
  document.addEventListener("htmx:sseError", () => {
    waiting ??= window.setTimeout(() => {
      said = true;
      showToast({ tone: "wait", title: text("gone") });
    }, patience);
  });
  document.addEventListener("htmx:sseOpen", () => {
    window.clearTimeout(waiting);
    waiting = undefined;
    if (said) showToast({ tone: "done", title: text("back") });
    said = false;
  });
}
