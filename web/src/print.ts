// data-print on a link to a PDF or picture: pressing prints it, without leaving the page. Where the browser cannot print
// a frame, the link does what it does without script: it opens the file. data-print-page prints the page itself.
import { on } from "./page";

export function printing(): void {
  on("click", "[data-print-page]", () => window.print());
  on("click", "a[data-print]", (link, event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { href } = link as HTMLAnchorElement;
    document.getElementById("print-frame")?.remove();
    const frame = document.createElement("iframe");
    frame.id = "print-frame";
    frame.className = "print-frame";
    frame.setAttribute("aria-hidden", "true");
    frame.tabIndex = -1;
    frame.addEventListener("load", () => {
      try {
        frame.contentWindow?.focus();
        frame.contentWindow?.print();
        window.focus(); // keys work on the page again, not in the frame
      } catch {
        window.open(href, "_blank", "noopener");
      }
    });
    frame.src = href;
    document.body.append(frame);
  });
}
