// The counter: pictures into their places by drop, paste, picker or camera; the keys; and what calls the clerk back when
// a receipt is ready. The screen itself comes from the server, again whenever something changed there.
import { cameras } from "./counter-camera";
import { bell } from "./counter-bell";
import { places } from "./counter-places";
import { isTyping, on, openDialog } from "./page";
import { showToast } from "./toast";

export function counter(): void {
  const page = document.querySelector<HTMLElement>("[data-counter]");
  if (!page) return;
  const texts = JSON.parse(page.dataset.texts ?? "{}") as Record<string, string>;
  const put = places(texts);
  cameras(texts, put);
  bell(texts);
  keys();
  leaving(texts);
  document.addEventListener("htmx:beforeSwap", dropStale);
  // What was refused comes back with the reason; the first field that is wrong gets the focus.
  document.addEventListener("htmx:afterSettle", (event) => {
    const { elt } = (event as CustomEvent<{ elt: Element }>).detail;
    if (!elt.closest("[data-counter]")) return;
    const wrong = document.querySelector<HTMLElement>("#customer-form :is(.input-error, .select-error)");
    if (wrong && pressed) wrong.focus();
    pressed = false;
    lookAt();
  });
}

interface Answer {
  target: Element;
  shouldSwap: boolean;
  requestConfig: { verb: string; parameters: Record<string, unknown> };
}

/** A screen that was asked for before the first picture made a customer would hide that picture: it is asked for anew. */
function dropStale(event: Event): void {
  const { detail } = event as CustomEvent<Answer>;
  if (detail.target.id !== "counter" || detail.requestConfig.verb !== "get") return;
  const now = document.querySelector<HTMLInputElement>("#customer")?.value ?? "";
  if (String(detail.requestConfig.parameters["customer"] ?? "") === now) return;
  detail.shouldSwap = false;
  document.body.dispatchEvent(new CustomEvent("counter:refresh"));
}

const leftKey = "huizhi.counter.left";

/** Who goes on to the next customer can come back to the one before: nothing of theirs is lost. */
function leaving(texts: Record<string, string>): void {
  const current = (): HTMLInputElement | null => document.querySelector("#customer");
  on("click", "[data-next]", () => {
    const field = current();
    if (field?.value && field.dataset.done === undefined) sessionStorage.setItem(leftKey, field.value);
  });
  const left = sessionStorage.getItem(leftKey);
  if (left === null || current()?.value !== "") return;
  sessionStorage.removeItem(leftKey);
  showToast({ tone: "", title: texts.left ?? "" });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "z" || event.ctrlKey || event.metaKey || isTyping(event.target) || openDialog()) return;
    window.location.assign(`/counter?customer=${left}`);
  }, { once: false });
}

let pressed = false;
let looked = ""; // the customer whose doubtful field had the focus once

/** Once nothing is being read any more, the first doubtful field gets the focus: once, and only if nothing else has it. */
function lookAt(): void {
  const id = document.querySelector<HTMLInputElement>("#customer")?.value ?? "";
  const ready = document.querySelector("#customer-form [data-submit]:not(:disabled)");
  if (!ready || id === looked || (document.activeElement !== null && document.activeElement !== document.body)) return;
  looked = id;
  if (!window.matchMedia("(pointer: coarse)").matches) document.querySelector<HTMLElement>("#customer-form [data-doubtful]")?.focus();
}

/** Presses the one button, whatever has the focus. A plain press would let the field post its change first. */
function submit(): void {
  const form = document.querySelector<HTMLFormElement>("#customer-form");
  const button = form?.querySelector<HTMLButtonElement>("[data-submit]:not(:disabled)");
  if (!form || !button) return;
  pressed = true;
  form.requestSubmit(button);
}

function keys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || openDialog()) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit();
      return;
    }
    const field = event.target instanceof Element ? event.target.closest<HTMLInputElement>("#customer-form :is(input, select)") : null;
    if (event.key === "Enter" && field && !field.matches("[type=submit]")) {
      // Enter goes on to the next field, so that nothing is paid for by habit.
      event.preventDefault();
      const all = [...document.querySelectorAll<HTMLElement>("#customer-form :is(input:not([type=hidden]), select, [data-submit]):not(:disabled)")];
      all[all.indexOf(field) + 1]?.focus();
    } else if (event.key === "Escape") {
      if (field) field.blur();
      else document.querySelector<HTMLElement>("[data-next]")?.click();
    }
  });
}
