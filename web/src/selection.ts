// Selecting rows: shift selects a range, the head's checkbox the page, Esc nothing. The bulk bar and the
// marks of the rows are CSS; this counts.
import { on, onContent, openDialog } from "./page";

const boxes = (form: Element): HTMLInputElement[] => [...form.querySelectorAll<HTMLInputElement>('tbody input[name="id"]')];

let last: HTMLInputElement | undefined;

export function selection(): void {
  on("click", '[data-selection] input[name="id"]', (element, event) => {
    const box = element as HTMLInputElement;
    const form = box.closest("[data-selection]");
    if (!form) return;
    const list = boxes(form);
    const [from, to] = [list.indexOf(last ?? box), list.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && last?.isConnected && from !== undefined && from >= 0) {
      for (const other of list.slice(from, (to ?? from) + 1)) other.checked = box.checked;
    }
    last = box;
    show(form);
  });
  on("click", "[data-select-all]", (element) => {
    const form = element.closest("[data-selection]");
    if (!form) return;
    for (const box of boxes(form)) box.checked = (element as HTMLInputElement).checked;
    show(form);
  });
  on("click", "[data-select-none]", (element) => clear(element.closest("[data-selection]")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || openDialog()) return;
    const form = document.querySelector('[data-selection]:has(tbody input[name="id"]:checked)');
    if (!form) return;
    event.preventDefault();
    clear(form);
  });
  // Browsers restore checkboxes on reload, and htmx brings new rows.
  onContent((root) => {
    const forms = new Set([root.closest("[data-selection]"), ...root.querySelectorAll("[data-selection]")]);
    for (const form of forms) if (form) show(form);
  });
}

function clear(form: Element | null): void {
  if (!form) return;
  for (const box of boxes(form)) box.checked = false;
  show(form);
}

function show(form: Element): void {
  const list = boxes(form);
  const chosen = list.filter((box) => box.checked).length;
  const all = form.querySelector<HTMLInputElement>("[data-select-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === list.length;
    all.indeterminate = chosen > 0 && chosen < list.length;
  }
  for (const count of form.querySelectorAll<HTMLElement>("[data-selected-count]")) {
    count.textContent = (count.dataset.text ?? "#").replace("#", String(chosen));
  }
}
