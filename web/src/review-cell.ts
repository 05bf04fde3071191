// Fields in review are like the cells of a spreadsheet: arrows and letters belong to the page until one is being edited,
// by typing, by F2 or with the mouse; then they are the field's.
import { on } from "./page";
import { pressKey } from "./keys";

export type Cell = HTMLInputElement | HTMLSelectElement;

let edited: Element | null = null;

export const isCell = (target: EventTarget | null): target is Cell =>
  (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) && target.dataset.cell !== undefined;

export const isEdited = (cell: Cell): boolean => edited === cell;

/** Whether the person has changed the field since it was shown. */
export const isChanged = (cell: Cell): boolean => cell instanceof HTMLInputElement && cell.value !== cell.defaultValue;

export function cells(): void {
  on("focusout", "[data-cell]", () => (edited = null));
  on("input", "[data-cell]", (cell) => (edited = cell));
  on("compositionstart", "[data-cell]", (cell) => (edited = cell));
  on("pointerup", "input[data-cell]", (cell) => (edited = cell));
  document.addEventListener("keydown", (event) => {
    if (event.altKey && !event.ctrlKey && /^(Digit|Numpad)[1-9]$/.test(event.code)) take(event);
    const cell = event.target;
    if (!isCell(cell) || !cell.closest("[data-review]") || event.isComposing || event.keyCode === 229) return; // 229: an input method has the key
    if (event.key === "F2") {
      event.preventDefault();
      edited = cell;
      if (cell instanceof HTMLInputElement) cell.setSelectionRange(cell.value.length, cell.value.length);
    } else if (letter(event) && !isEdited(cell) && cell.dataset.noLetters !== undefined) {
      // The X of a number is no shortcut, and none of the page's is called so.
      if (event.key === "?") document.querySelector<HTMLElement>('[data-dialog="keys"]')?.click();
      else if (!pressKey(event)) return;
      event.preventDefault();
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !isEdited(cell) && !isChanged(cell)) {
      event.preventDefault();
      undo();
    }
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && event.target === document.body) undo();
  });
}

const letter = (event: KeyboardEvent): boolean => /^[a-z?]$/i.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;

const undo = (): void => document.querySelector<HTMLElement>("[data-undo] button")?.click();

/** Alt and a digit take the value beside the field that carries the digit. */
function take(event: KeyboardEvent): void {
  const record = document.querySelector("#review form[data-record]");
  const name = isCell(event.target) ? event.target.name : record?.querySelector<HTMLElement>("[data-candidate]")?.dataset.field;
  const form = isCell(event.target) ? event.target.form : record;
  if (!form || name === undefined) return;
  event.preventDefault();
  const offered = form.querySelectorAll<HTMLElement>(`[data-candidate][data-field="${CSS.escape(name)}"]`);
  const chosen = offered[Number(event.code.slice(-1)) - 1];
  chosen?.click();
}

/** Goes to a field, with the character selected that is doubtful. */
export function enter(cell: Cell): void {
  cell.focus({ preventScroll: true });
  edited = null;
  if (cell instanceof HTMLInputElement) {
    const before = [...cell.value].slice(0, Number(cell.dataset.caret ?? Infinity)).join("").length;
    const doubted = [...cell.value.slice(before)][0] ?? "";
    cell.setSelectionRange(before, before + doubted.length);
  }
  (cell.closest("[data-field-block]") ?? cell.form)?.scrollIntoView({ block: "nearest" });
}
