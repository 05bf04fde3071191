// The grid, moved in like a spreadsheet: arrows go from cell to cell, Ctrl with Home or End to the first or last row. A
// confirmed row hands the focus on to what is doubtful in the next one.
import { on } from "./page";
import { type Cell, enter, isCell, isEdited } from "./review-cell";

const rows = (): HTMLFormElement[] => [...document.querySelectorAll<HTMLFormElement>("form[data-row]")];

const cellsOf = (row: Element): Cell[] => [...row.querySelectorAll<Cell>("[data-cell]:enabled")];

export function grid(): void {
  const first = rows().find((row) => cellsOf(row).length > 0);
  if (first && !window.matchMedia("(pointer: coarse)").matches) enterRow(first);
  on("keydown", "form[data-row] [data-cell]", (cell, event) => {
    const row = cell.closest<HTMLFormElement>("form[data-row]");
    if (!row || !isCell(cell) || event.isComposing || event.altKey || event.defaultPrevented) return;
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key === "Enter") {
      event.preventDefault();
      row.querySelector<HTMLAnchorElement>("a[data-open]")?.click();
      return;
    }
    const next = neighbour(row, cell, event.key, control);
    if (!next) return;
    event.preventDefault();
    enter(next);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const row = event.target instanceof Element ? event.target.closest<HTMLFormElement>("form[data-row]") : null;
    if (row?.dataset.done === undefined || !holdsFocus(row)) return;
    const list = rows();
    const next = list.slice(list.indexOf(row) + 1).find((other) => other.dataset.done === undefined);
    if (next) enterRow(next);
    else document.querySelector<HTMLElement>("[data-grid-end] a, [data-grid-end] button")?.focus();
  });
}

/** A row whose button was pressed has lost the focus with it. */
const holdsFocus = (row: HTMLElement): boolean => row.contains(document.activeElement) || document.activeElement === document.body;

function enterRow(row: HTMLFormElement): void {
  const cell = row.elements.namedItem(row.dataset.first ?? "");
  if (isCell(cell as Cell | null)) enter(cell as Cell);
}

function neighbour(row: HTMLFormElement, cell: Cell, key: string, control: boolean): Cell | undefined {
  const open = rows().filter((other) => cellsOf(other).length > 0);
  const inColumn = (other: HTMLFormElement | undefined): Cell | undefined => other && cellsOf(other).find((one) => one.name === cell.name);
  const beside = cellsOf(row);
  switch (key) {
    case "ArrowDown":
      return inColumn(open[open.indexOf(row) + 1]);
    case "ArrowUp":
      return inColumn(open[open.indexOf(row) - 1]);
    case "ArrowLeft":
      return isEdited(cell) ? undefined : beside[beside.indexOf(cell) - 1];
    case "ArrowRight":
      return isEdited(cell) ? undefined : beside[beside.indexOf(cell) + 1];
    case "Home":
      return control ? inColumn(open[0]) : isEdited(cell) ? undefined : beside[0];
    case "End":
      return control ? inColumn(open[open.length - 1]) : isEdited(cell) ? undefined : beside[beside.length - 1];
  }
  return undefined;
}
