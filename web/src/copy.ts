// data-copy="text": pressing copies it and says so for two seconds.
import { on, text } from "./page";

export function copying(): void {
  on("click", "[data-copy]", (button) => {
    void navigator.clipboard.writeText(button.dataset.copy ?? "").then(() => {
      const use = button.querySelector("use");
      const before = use?.getAttribute("href") ?? "";
      use?.setAttribute("href", before.replace(/#.*/, "#check"));
      button.title = text("copied");
      window.setTimeout(() => {
        use?.setAttribute("href", before);
        button.title = button.getAttribute("aria-label") ?? "";
      }, 2000);
    });
  });
}
