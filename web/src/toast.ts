// Toasts at the bottom left: they go after 8 seconds, not while the pointer or the focus is on them; failures stay until
// closed. They come rendered with a page, in the HX-Trigger header of any htmx answer ("toast"), or from the script.
import { on, onContent, text } from "./page";

export interface Toast {
  tone: "" | "run" | "wait" | "done" | "fail" | "test";
  title: string;
  text?: string;
  undo?: string;
  undoLabel?: string;
  requestId?: string;
}

const stay = 8000; // ms

const icons: Record<string, string> = {
  "": "info", run: "loader-circle", wait: "circle-alert", done: "circle-check", fail: "circle-x", test: "flask-conical",
};

export function toasts(): void {
  onContent((root) => {
    const own = root.matches("[data-toast]") ? [root] : root.querySelectorAll<HTMLElement>("#toasts > [data-toast]");
    for (const box of own) expire(box);
  });
  on("click", "[data-close-toast]", (button) => button.closest("[data-toast]")?.remove());
  document.addEventListener("toast", (event) => {
    const { detail } = event as CustomEvent<{ value?: Toast[] } | Toast[]>;
    const list = Array.isArray(detail) ? detail : (detail.value ?? []);
    for (const toast of list) showToast(toast);
  });
  // A failed request that brings its message into #toasts is swapped there, unlike other failures.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event as CustomEvent<{ xhr: XMLHttpRequest; shouldSwap: boolean }>;
    if (detail.xhr.getResponseHeader("HX-Retarget") === "#toasts") detail.shouldSwap = true;
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
    if (bringsToast(xhr)) return;
    showToast({ tone: "fail", title: text("failed"), requestId: xhr.getResponseHeader("X-Request-Id") ?? undefined });
  });
  document.addEventListener("htmx:sendError", () => showToast({ tone: "fail", title: text("offline") }));
}

const bringsToast = (xhr: XMLHttpRequest): boolean =>
  xhr.getResponseHeader("HX-Retarget") === "#toasts" || (xhr.getResponseHeader("HX-Trigger")?.includes('"toast"') ?? false);

export function showToast(toast: Toast): void {
  const region = document.getElementById("toasts");
  const template = document.getElementById("toast-template");
  if (!region || !(template instanceof HTMLTemplateElement)) return;
  const box = template.content.firstElementChild?.cloneNode(true) as HTMLElement;
  if (toast.tone) box.classList.add(`s-${toast.tone}`);
  const use = box.querySelector(".toast-icon use");
  use?.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*/, `#${icons[toast.tone] ?? "info"}`));
  write(box, ".toast-title", toast.title);
  write(box, ".toast-text", toast.text);
  write(box, ".toast-id", toast.requestId && text("reference").replace("#", toast.requestId));
  if (toast.undo) box.querySelector("[data-close-toast]")?.before(undo(toast.undo, toast.undoLabel ?? text("undo")));
  if (toast.tone === "fail") {
    box.setAttribute("role", "alert");
    box.dataset.stays = "";
  }
  region.append(box);
  expire(box);
}

function write(box: Element, selector: string, content: string | undefined): void {
  const place = box.querySelector(selector);
  if (place) place.textContent = content ?? "";
}

function undo(action: string, label: string): HTMLFormElement {
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  const button = document.createElement("button");
  button.className = "underline underline-offset-3 cursor-pointer whitespace-nowrap";
  button.textContent = label;
  form.append(button);
  return form;
}

function expire(box: HTMLElement): void {
  if (box.dataset.stays !== undefined) return;
  let timer = window.setTimeout(() => box.remove(), stay);
  const wait = (): void => window.clearTimeout(timer);
  const go = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => box.remove(), stay / 2);
  };
  box.addEventListener("pointerenter", wait);
  box.addEventListener("focusin", wait);
  box.addEventListener("pointerleave", go);
  box.addEventListener("focusout", go);
}
