// The record: one order at a time. Tabs of pictures, lines of measurement, and the keys that move between the fields to
// look at and between records. How often the mouse is used is counted, because the aim is not to need it.
import { on, onContent, openDialog } from "./page";
import { pressKey } from "./keys";
import { type Cell, enter, isCell, isEdited } from "./review-cell";
import { queue } from "./review-queue";

let pointerUses = 0;

const form = (): HTMLFormElement | null => document.querySelector("#review form[data-record]");

export function record(): void {
  queue();
  on("click", "[data-show-picture]", (tab) => showPicture(tab.dataset.showPicture ?? "photo"));
  on("click", "[data-measure]", (button) => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    document.querySelector("[data-measures]")?.classList.toggle("hidden", !on);
  });
  on("click", "[data-go]", (link, event) => {
    const field = form()?.elements.namedItem(link.dataset.go ?? "");
    if (!isCell(field as Cell | null)) return;
    event.preventDefault();
    enter(field as Cell);
  });
  document.addEventListener("keydown", move);
  document.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && form()) pointerUses++;
  }, true);
  document.addEventListener("htmx:configRequest", (event) => {
    const { path, parameters } = (event as CustomEvent<{ path: string; parameters: Record<string, unknown> }>).detail;
    if (form() && path.endsWith("/confirm")) parameters.pointer = String(pointerUses);
  });
  onContent((root) => {
    if (!form() || !root.querySelector("[data-pictures]")) return; // an edited form keeps its focus
    pointerUses = 0;
    const first = doubtful()[0];
    if (first && !window.matchMedia("(pointer: coarse)").matches) enter(first);
  });
}

const all = (): Cell[] => [...(form()?.querySelectorAll<Cell>("[data-cell]:enabled") ?? [])];

const doubtful = (): Cell[] => all().filter((cell) => cell.dataset.doubtful !== undefined);

function move(event: KeyboardEvent): void {
  const fields = form();
  if (!fields || event.isComposing || event.defaultPrevented || openDialog()) return;
  const cell = isCell(event.target) ? event.target : null;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    (cell ?? all()[0])?.dispatchEvent(new Event("change", { bubbles: true }));
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  switch (event.key) {
    case "ArrowUp":
    case "ArrowDown": {
      const next = step(cell, event.key === "ArrowDown", true);
      if (!next) return;
      event.preventDefault();
      enter(next);
      break;
    }
    case "Tab": {
      const next = cell?.dataset.doubtful !== undefined ? step(cell, !event.shiftKey, false) : null;
      if (!next) return;
      event.preventDefault();
      enter(next);
      break;
    }
    case "ArrowLeft":
    case "ArrowRight":
      if (cell && !isEdited(cell) && pressKey(event)) event.preventDefault();
      break;
  }
}

/** The next field to look at in a direction; with `any` the next one at all when there is none. */
function step(from: Cell | null, down: boolean, any: boolean): Cell | null {
  const list = all();
  const at = from ? list.indexOf(from) : -1;
  const ahead = down ? list.slice(at + 1) : list.slice(0, Math.max(at, 0)).reverse();
  return ahead.find((cell) => cell.dataset.doubtful !== undefined) ?? (any ? ahead[0] : undefined) ?? null;
}

function showPicture(name: string): void {
  for (const picture of document.querySelectorAll<HTMLElement>("#review [data-picture]")) picture.hidden = picture.dataset.picture !== name;
  for (const tab of document.querySelectorAll<HTMLElement>("#review [data-show-picture]")) {
    tab.setAttribute("aria-selected", String(tab.dataset.showPicture === name));
  }
}
