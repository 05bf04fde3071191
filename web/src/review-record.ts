// The record: one order at a time. Tabs of pictures, lines of measurement, neighbours by the arrows, and how fast it goes.
import { on, onContent, openDialog } from "./page";

export function record(): void {
  on("click", "[data-show-picture]", (tab) => showPicture(tab.dataset.showPicture ?? "photo"));
  on("click", "[data-measure]", (button) => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    document.querySelector("[data-measures]")?.classList.toggle("hidden", !on);
  });
  document.addEventListener("keydown", (event) => {
    const form = document.querySelector<HTMLFormElement>("form[data-record]");
    if (!form || event.isComposing || openDialog()) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      const field = form.contains(document.activeElement) ? document.activeElement : form.querySelector("input:not([type=hidden])");
      field?.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      if (event.target instanceof HTMLSelectElement) return; // chooses
      const key = event.key === "ArrowUp" ? "ArrowLeft" : "ArrowRight";
      const neighbour = document.querySelector<HTMLAnchorElement>(`a[data-key="${key}"]`);
      if (!neighbour) return;
      event.preventDefault();
      neighbour.click();
    }
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt } = (event as CustomEvent<{ elt: Element }>).detail;
    if (elt.matches("form[data-record]")) measurePace();
  });
  onContent((root) => {
    if (!document.querySelector("form[data-record]")) return;
    showPace();
    if (!root.querySelector("[data-pictures]")) return; // an edited form keeps its focus
    const doubtful = root.querySelector<HTMLElement>("form[data-record] [data-doubtful]");
    if (!window.matchMedia("(pointer: coarse)").matches) doubtful?.focus();
  });
}

function showPicture(name: string): void {
  for (const picture of document.querySelectorAll<HTMLElement>("[data-picture]")) picture.hidden = picture.dataset.picture !== name;
  for (const tab of document.querySelectorAll<HTMLElement>("[data-show-picture]")) {
    tab.setAttribute("aria-selected", String(tab.dataset.showPicture === name));
  }
}

// How long the last records took, in this tab. A pause is no work.
const kept = "huizhi.review.pace";
const pause = 90; // seconds
let shownAt = Date.now();

const paces = (): number[] => JSON.parse(sessionStorage.getItem(kept) ?? "[]") as number[];

function measurePace(): void {
  const took = (Date.now() - shownAt) / 1000;
  if (took < pause) sessionStorage.setItem(kept, JSON.stringify([...paces(), took].slice(-20)));
}

function showPace(): void {
  shownAt = Date.now();
  const place = document.querySelector<HTMLElement>("[data-pace]");
  const list = paces();
  if (!place || list.length < 3) return;
  const pace = list.reduce((sum, took) => sum + took, 0) / list.length;
  const seconds = Math.round(pace * Number(place.dataset.left ?? 0));
  const unit = new Intl.NumberFormat(document.documentElement.lang, {
    style: "unit", unit: seconds < 90 ? "second" : "minute", unitDisplay: "long", maximumFractionDigits: 0,
  });
  const left = unit.format(seconds < 90 ? seconds : seconds / 60);
  place.textContent = (place.dataset.pace ?? "").replace("#", pace.toFixed(1)).replace("@", left);
}
