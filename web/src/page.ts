// What the behaviours share: the words of the page's language, and how to listen.

/** A word of the page's language; # in it is the place of a number. */
export function text(name: string, n?: number): string {
  const s = texts()[name] ?? name;
  return n === undefined ? s : s.replace("#", String(n));
}

let cached: Record<string, string> | undefined;

function texts(): Record<string, string> {
  cached ??= JSON.parse(document.querySelector<HTMLMetaElement>('meta[name="texts"]')?.content ?? "{}") as Record<string, string>;
  return cached;
}

/** Calls handle for events on elements that match selector, now and later. */
export function on<K extends keyof DocumentEventMap>(
  type: K,
  selector: string,
  handle: (element: HTMLElement, event: DocumentEventMap[K]) => void,
): void {
  document.addEventListener(type, (event) => {
    const found = event.target instanceof Element ? event.target.closest<HTMLElement>(selector) : null;
    if (found) handle(found, event);
  });
}

/** Calls handle for the page, and again for every piece that htmx puts into it. */
export function onContent(handle: (root: HTMLElement) => void): void {
  handle(document.body);
  document.addEventListener("htmx:load", (event) => {
    const root = (event as CustomEvent<{ elt: HTMLElement }>).detail.elt;
    if (root instanceof HTMLElement && root !== document.body) handle(root);
  });
}

/** Whether the person is typing, so that a letter is a letter and not a shortcut. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "file"].includes(target.type);
}

/** The dialog that is open over the page, if any. */
export const openDialog = (): HTMLDialogElement | null => document.querySelector("dialog[open]");
