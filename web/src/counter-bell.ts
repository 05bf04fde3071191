// Calls the clerk when a receipt is ready: a short sound, a toast, a mark in the title; P prints it. Browsers make no
// sound before somebody has pressed something, so the first press opens the way.
import { isTyping, on, openDialog } from "./page";
import { showToast } from "./toast";

const mutedKey = "huizhi.counter.muted";
const seenKey = "huizhi.counter.ready"; // of this tab: what was called out, or was ready when the page was opened
const printedKey = "huizhi.counter.printed";

let sound: AudioContext | undefined;

const list = (key: string): string[] => JSON.parse(sessionStorage.getItem(key) ?? "[]") as string[];
const keep = (key: string, ids: string[]): void => sessionStorage.setItem(key, JSON.stringify(ids.slice(-400)));
const muted = (): boolean => localStorage.getItem(mutedKey) !== null;

export function bell(texts: Record<string, string>): void {
  const title = document.title;
  const unlock = (): void => {
    sound ??= new AudioContext();
    if (sound.state === "suspended") void sound.resume();
  };
  document.addEventListener("pointerdown", unlock);
  document.addEventListener("keydown", unlock);

  // Waiting ones and those under way are known, so that only what turns ready is called out.
  const known = new Set(list("huizhi.counter.known"));
  const look = (): void => {
    const called = new Set(list(seenKey));
    let fresh = 0;
    for (const visit of document.querySelectorAll<HTMLElement>("[data-visit]")) {
      const id = visit.dataset.visit ?? "";
      if (visit.dataset.ready === undefined) {
        known.add(id);
      } else if (known.has(id) && !called.has(id)) {
        fresh++;
        showToast({ tone: "done", title: (texts.ready ?? "").replace("#", visit.dataset.name ?? "") });
      }
      // One that came back is called out once, and again when its receipt is ready after all.
      const back = `${id}!`;
      if (visit.dataset.trouble !== undefined) {
        if (known.has(id) && !called.has(back)) {
          fresh++;
          showToast({ tone: "fail", title: (texts.trouble ?? "").replace("#", visit.dataset.name ?? "") });
        }
        called.add(back);
      } else {
        called.delete(back);
      }
      if (visit.dataset.ready !== undefined) called.add(id);
    }
    keep(seenKey, [...called]);
    keep("huizhi.counter.known", [...known]);
    const open = unprinted().length;
    document.title = open > 0 ? `(${open}) ${title}` : title;
    if (fresh > 0 && !muted()) ding();
    showMuted();
  };
  document.addEventListener("htmx:afterSettle", look);
  look();

  on("click", "[data-mute]", () => {
    if (muted()) localStorage.removeItem(mutedKey);
    else localStorage.setItem(mutedKey, "1");
    showMuted();
    if (!muted()) ding();
  });
  on("click", "[data-print-receipt]", (link) => {
    keep(printedKey, [...list(printedKey), link.dataset.printReceipt ?? ""]);
    look();
  });
  // P without a receipt on the screen prints the one that has waited longest.
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "p" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || openDialog()) return;
    if (event.defaultPrevented || document.querySelector('[data-key="P"]')) return;
    const next = unprinted().at(-1);
    if (!next) return;
    event.preventDefault();
    next.click();
  });
}

/** The receipts that are ready and were not printed from this tab, the newest first. */
function unprinted(): HTMLElement[] {
  const printed = new Set(list(printedKey));
  const known = new Set(list("huizhi.counter.known"));
  return [...document.querySelectorAll<HTMLElement>("[data-visits] [data-print-receipt]")].filter((link) => {
    const id = link.dataset.printReceipt ?? "";
    return known.has(id) && !printed.has(id);
  });
}

function showMuted(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-mute]")) {
    button.setAttribute("aria-pressed", String(muted()));
    for (const icon of button.querySelectorAll<HTMLElement>("[data-sound]")) icon.hidden = (icon.dataset.sound === "off") !== muted();
  }
}

/** Two short notes, a fourth apart. */
function ding(): void {
  if (!sound || sound.state !== "running") return;
  const begin = sound.currentTime;
  [880, 1174.66].forEach((pitch, i) => {
    if (!sound) return;
    const at = begin + i * 0.16;
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    tone.type = "sine";
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.18, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.45);
    tone.connect(volume).connect(sound.destination);
    tone.start(at);
    tone.stop(at + 0.5);
  });
}
