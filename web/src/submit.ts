// A form is sent once: from the press until the answer its button is busy and a second press does nothing. The button is
// marked, not disabled, because browsers leave a disabled one out of what is sent.
export function submitOnce(): void {
  document.addEventListener("submit", (event) => {
    if ((event.target as HTMLFormElement).dataset.sending === undefined) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  // A plain form: the next page is the answer. htmx has prevented the default of its own by now.
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (event.defaultPrevented || form.method === "dialog") return;
    busy(form, event.submitter);
    // A file to download leaves this page as it is.
    if (form.dataset.download !== undefined) window.setTimeout(() => idle(form), 1500);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = (event as CustomEvent<{ elt: Element; requestConfig: { triggeringEvent?: Event } }>).detail;
    const { triggeringEvent } = requestConfig;
    if (elt instanceof HTMLFormElement) busy(elt, triggeringEvent instanceof SubmitEvent ? triggeringEvent.submitter : null);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt } = (event as CustomEvent<{ elt: Element }>).detail;
    if (elt instanceof HTMLFormElement) idle(elt);
  });
  // Going back can bring a page from the cache as it was left.
  window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach(idle));
}

function busy(form: HTMLFormElement, submitter: HTMLElement | null): void {
  form.dataset.sending = "";
  (submitter ?? form.querySelector('button[type="submit"]'))?.setAttribute("aria-busy", "true");
}

function idle(form: HTMLFormElement): void {
  delete form.dataset.sending;
  for (const button of form.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
}
