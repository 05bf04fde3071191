// Rows with data-href: a press anywhere on one opens what it is about; j, k and the arrows go through them, Enter opens,
// x selects. The row's own link is used, so that its htmx attributes (the side panel) and the middle button work.
import { isTyping, on, openDialog } from "./page";

const all = (): HTMLElement[] =>
  [...document.querySelectorAll<HTMLElement>("tr[data-href]")].filter((row) => row.offsetParent !== null);

let current: HTMLElement | undefined;

export function rows(): void {
  on("click", "tr[data-href]", (row, event) => {
    const control = event.target instanceof Element && event.target.closest("a, button, input, label, summary, select, textarea");
    const selecting = window.getSelection()?.toString() !== "";
    if (control || selecting || event.defaultPrevented) return;
    open(row, event.ctrlKey || event.metaKey);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || openDialog() || event.defaultPrevented) return;
    if (event.key === "j" || event.key === "ArrowDown") move(event, 1);
    else if (event.key === "k" || event.key === "ArrowUp") move(event, -1);
    else if (!current?.isConnected) return;
    else if (event.key === "Enter" && (event.target === document.body || event.target === current)) open(current, false);
    else if (event.key === "x") current.querySelector<HTMLInputElement>('input[name="id"]')?.click();
  });
}

function move(event: KeyboardEvent, step: number): void {
  const list = all();
  if (list.length === 0) return;
  const from = current?.isConnected ? current : document.querySelector<HTMLElement>('tr[data-href][aria-selected="true"]');
  const at = from ? list.indexOf(from) : -1;
  const next = list[Math.min(list.length - 1, Math.max(0, at + step))];
  if (!next) return;
  event.preventDefault();
  current?.removeAttribute("tabindex");
  current = next;
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  // With the side panel open, going through the rows goes through the panel.
  if (document.querySelector("[data-side-panel]")) open(next, false);
}

function open(row: HTMLElement, inNewTab: boolean): void {
  const href = row.dataset.href ?? "";
  if (inNewTab) {
    window.open(href, "_blank", "noopener");
    return;
  }
  const link = [...row.querySelectorAll<HTMLAnchorElement>("a[href]")].find((a) => a.getAttribute("href") === href);
  if (link) link.click();
  else window.location.assign(href);
}
