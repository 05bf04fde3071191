// The queue of the record page. The next record is fetched while one is looked at, with its pictures, and stands there
// from the moment of the press; it can be typed into when the confirmation was accepted. The claim on a record is renewed
// while somebody is at it, and given back when the page is left.
import { onContent } from "./page";

const holdEvery = 30_000; // ms
const away = 90_000; // ms without a key or a movement

interface Ahead { order: string; claim: string; content: Node[] }

let ahead: Ahead | null = null;
let asking: AbortController | null = null;
let active = Date.now();

const current = (): HTMLFormElement | null => document.querySelector("#review form[data-record]");

export function queue(): void {
  onContent((root) => {
    if (current()?.dataset.claim && root.querySelector("[data-pictures]")) void ask();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = (event as CustomEvent<{ elt: Element; requestConfig: { path: string } }>).detail;
    if (elt.matches("#review form[data-record]") && requestConfig.path.endsWith("/confirm")) showAhead();
  });
  // Before the answer is put in, so that its first field can take the focus; or after one that puts in nothing.
  for (const type of ["htmx:beforeSwap", "htmx:afterRequest"]) document.addEventListener(type, hideAhead);
  for (const type of ["keydown", "pointermove", "scroll"] as const) document.addEventListener(type, () => (active = Date.now()), { passive: true, capture: true });
  document.addEventListener("visibilitychange", hold);
  window.addEventListener("pageshow", (event) => event.persisted && hold());
  window.addEventListener("pagehide", release);
  window.setInterval(hold, holdEvery);
}

async function ask(): Promise<void> {
  const form = current();
  asking?.abort();
  ahead = null;
  if (!form) return;
  asking = new AbortController();
  const { signal } = asking;
  const at = new FormData(form);
  const query = new URLSearchParams({ place: String(at.get("place")), next: String(at.get("next")) });
  try {
    const answer = await fetch(`${form.dataset.batch}/review/upcoming?${query}`, { headers: { "HX-Request": "true" }, signal });
    if (answer.status !== 200) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.querySelector<HTMLElement>("form[data-record]");
    if (signal.aborted || !next) return;
    for (const image of page.querySelectorAll("img, image")) new Image().src = image.getAttribute("src") ?? image.getAttribute("href") ?? "";
    // A copy for the eye alone: nothing in it is found, pressed or sent.
    for (const element of page.querySelectorAll("[id], [data-key], [data-record]")) for (const name of ["id", "data-key", "data-record"]) element.removeAttribute(name);
    ahead = { order: next.dataset.order ?? "", claim: next.dataset.claim ?? "", content: [...page.body.childNodes] };
    const named = current()?.elements.namedItem("next");
    if (named instanceof HTMLInputElement) named.value = ahead.order;
  } catch {
    // The next one comes with the answer, then.
  }
}

const place = (): HTMLElement | null => document.getElementById("upcoming");

function showAhead(): void {
  asking?.abort();
  const named = current()?.elements.namedItem("next");
  const preview = place();
  const review = document.getElementById("review");
  if (!ahead || !preview || !review || !(named instanceof HTMLInputElement) || named.value !== ahead.order) return;
  preview.replaceChildren(...ahead.content);
  preview.hidden = false;
  review.hidden = true;
}

function hideAhead(): void {
  const preview = place();
  const review = document.getElementById("review");
  if (!preview || preview.hidden || !review) return;
  review.hidden = false;
  preview.hidden = true;
  preview.replaceChildren();
}

function hold(): void {
  const form = current();
  if (!form?.dataset.claim || document.visibilityState !== "visible" || Date.now() - active > away) return;
  void window.htmx.ajax("post", `/orders/${form.dataset.order}/hold`, { target: "#held", swap: "outerHTML", source: "#held" });
}

function release(): void {
  const form = current();
  const claims = [form?.dataset.claim, ahead?.claim].filter(Boolean).map((claim) => ["claim", claim as string]);
  if (form && claims.length > 0) navigator.sendBeacon(`${form.dataset.batch}/review/release`, new URLSearchParams(claims));
}
