// Reviewing by keyboard: what the grid and the record share. Everything here is also a link or a form.
import { on, openDialog } from "./page";
import { cells, isCell } from "./review-cell";
import { grid } from "./review-grid";
import { record } from "./review-record";

export function review(): void {
  // Enter confirms. A plain submit would fire the field's change first, and the two requests would race.
  document.addEventListener("keydown", (event) => {
    const field = event.target instanceof Element && event.target.closest<HTMLInputElement>("[data-review] form[data-checked] :is(input, select)");
    if (!field || event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    field.form?.requestSubmit();
  });
  // Esc takes back what was typed, then goes back.
  document.addEventListener("keydown", (event) => {
    const page = document.querySelector<HTMLElement>("[data-review]");
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || !page || openDialog()) return;
    const field = event.target;
    if (field instanceof HTMLInputElement && field.value !== field.defaultValue) {
      field.value = field.defaultValue;
    } else if (isCell(field)) {
      field.blur();
    } else {
      window.location.assign(page.dataset.back ?? "/");
    }
  });
  on("click", "[data-candidate]", (button) => {
    const form = button.closest("form");
    const field = form?.elements.namedItem(button.dataset.field ?? "");
    const value = button.dataset.candidate;
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement) || value === undefined) return;
    if (field instanceof HTMLSelectElement && ![...field.options].some((option) => option.value === value)) field.add(new Option(value));
    field.value = value;
    field.focus();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  // A conflict brings the new values with it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event as CustomEvent<{ xhr: XMLHttpRequest; shouldSwap: boolean; isError: boolean; elt: Element }>;
    if (detail.xhr.status !== 409 || !detail.elt.closest("[data-review]") || detail.xhr.getResponseHeader("HX-Retarget")) return;
    detail.shouldSwap = true;
    detail.isError = false;
  });
  cells();
  grid();
  record();
}
