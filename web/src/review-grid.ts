// The grid: arrows move between rows in the same column, a confirmed row hands the focus on to what is doubtful in the
// next one.
import { on } from "./page";

const rows = (): HTMLFormElement[] => [...document.querySelectorAll<HTMLFormElement>("form[data-row]")];

const field = (row: HTMLFormElement | undefined, name: string | undefined): HTMLInputElement | undefined => {
  const found = row?.elements.namedItem(name ?? "");
  return found instanceof HTMLInputElement ? found : undefined;
};

export function grid(): void {
  const first = rows()[0];
  if (first && !window.matchMedia("(pointer: coarse)").matches) enter(first);
  on("keydown", "form[data-row] input", (input, event) => {
    const row = input.closest<HTMLFormElement>("form[data-row]");
    if (!row || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const list = rows();
      focus(field(list[list.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)], (input as HTMLInputElement).name));
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      row.querySelector<HTMLAnchorElement>("a[data-open]")?.click();
    }
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const row = event.target instanceof Element ? event.target.closest<HTMLFormElement>("form[data-row]") : null;
    if (row?.dataset.done === undefined || !holdsFocus(row)) return;
    const list = rows();
    const next = list.slice(list.indexOf(row) + 1).find((other) => other.dataset.done === undefined);
    if (next) enter(next);
    else document.querySelector<HTMLElement>("[data-grid-end] a, [data-grid-end] button")?.focus();
  });
}

/** A row whose button was pressed has lost the focus with it. */
const holdsFocus = (row: HTMLElement): boolean => row.contains(document.activeElement) || document.activeElement === document.body;

function enter(row: HTMLFormElement): void {
  focus(field(row, row.dataset.first));
}

function focus(input: HTMLInputElement | undefined): void {
  if (!input) return;
  input.focus({ preventScroll: true });
  input.select();
  input.closest("form")?.scrollIntoView({ block: "nearest" });
}
