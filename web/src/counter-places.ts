// Pictures into their places. A picture is sent at once and kept here until the server has it: what a lost connection
// broke off is sent again by itself, and sending twice changes nothing.
import { on } from "./page";
import { showToast } from "./toast";

export type Put = (place: string, file: File) => void;

interface Sending {
  file: File;
  preview: string;
  note: string;
  stuck: boolean; // waits for the net, or for somebody to try again
}

const sending = new Map<string, Sending>(); // by place
const limit = 40 << 20; // bytes; the server has the word, this spares the way
const retryAfter = 3000; // ms

let opening: Promise<string> | undefined;
const customerField = (): HTMLInputElement | null => document.querySelector("#customer");

/** The customer's id. The first picture begins with one; two at once begin with one, too. */
async function customer(): Promise<string> {
  const known = customerField();
  if (known && known.value !== "" && known.dataset.done === undefined) return known.value;
  opening ??= fetch("/counter/customers", { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" } })
    .then(async (answer) => {
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const { id } = (await answer.json()) as { id: string };
      const field = customerField();
      if (field) {
        field.value = id;
        delete field.dataset.done;
      }
      history.replaceState(history.state, "", `/counter?customer=${id}`);
      return id;
    })
    .finally(() => (opening = undefined));
  return opening;
}

export function places(texts: Record<string, string>): Put {
  const say = (name: string): string => texts[name] ?? name;

  const put: Put = (place, file) => {
    if (file.type !== "" && !file.type.startsWith("image/")) {
      showToast({ tone: "fail", title: say("not_image") });
      return;
    }
    if (file.size > limit) {
      showToast({ tone: "fail", title: say("too_large") });
      return;
    }
    const old = sending.get(place);
    if (old) URL.revokeObjectURL(old.preview);
    const item: Sending = { file, preview: URL.createObjectURL(file), note: say("sending"), stuck: false };
    sending.set(place, item);
    paint();
    void send(place, item);
  };

  async function send(place: string, item: Sending): Promise<void> {
    item.stuck = false;
    item.note = say("sending");
    paint();
    try {
      const id = await customer();
      const answer = await fetch(`/counter/${id}/places/${place}`, {
        method: "POST", body: item.file, headers: { "Content-Type": "application/octet-stream", "X-File-Name": encodeURIComponent(item.file.name || "photo.jpg") },
      });
      if (sending.get(place) !== item) return; // another one was dropped meanwhile
      if (answer.ok) {
        forget(place, item);
      } else if (answer.status === 422 || answer.status === 409 || answer.status === 413) {
        const { error } = (await answer.json().catch(() => ({}))) as { error?: string };
        forget(place, item);
        showToast({ tone: "fail", title: error ?? say("failed") });
      } else {
        item.stuck = true;
        item.note = say(answer.status === 401 ? "signed_out" : "failed");
      }
    } catch {
      item.stuck = true;
      item.note = say("offline");
      if (navigator.onLine) window.setTimeout(() => again(place, item), retryAfter);
    }
    paint();
    document.body.dispatchEvent(new CustomEvent("counter:refresh"));
  }

  function again(place: string, item: Sending): void {
    if (sending.get(place) === item && item.stuck) void send(place, item);
  }

  window.addEventListener("online", () => sending.forEach((item, place) => again(place, item)));
  window.addEventListener("beforeunload", (event) => {
    if (sending.size > 0) event.preventDefault();
  });
  on("click", "[data-local]", (shown) => {
    const place = shown.closest<HTMLElement>("[data-place]")?.dataset.place ?? "";
    const item = sending.get(place);
    if (item) again(place, item);
  });

  on("change", "[data-pick]", (input) => {
    if (!(input instanceof HTMLInputElement)) return;
    const file = input.files?.[0];
    if (file) put(input.dataset.pick ?? "", file);
    input.value = "";
  });
  dropping(put);
  pasting(put);
  document.addEventListener("htmx:afterSwap", paint); // the server knows nothing of what is on its way
  return put;
}

function forget(place: string, item: Sending): void {
  URL.revokeObjectURL(item.preview);
  sending.delete(place);
}

/** Shows over a place what is on its way there. */
function paint(): void {
  for (const zone of document.querySelectorAll<HTMLElement>("[data-place]")) {
    const item = sending.get(zone.dataset.place ?? "");
    const local = zone.querySelector<HTMLElement>("[data-local]");
    zone.toggleAttribute("data-sending", item !== undefined);
    if (!local) continue;
    local.replaceChildren();
    if (!item) continue;
    const picture = document.createElement("img");
    picture.src = item.preview;
    picture.alt = "";
    picture.className = "absolute inset-0 size-full object-contain p-1.5 opacity-40";
    const note = document.createElement(item.stuck ? "button" : "span");
    note.className = item.stuck ? "btn btn-plain btn-sm relative" : "relative font-semibold";
    if (note instanceof HTMLButtonElement) note.type = "button";
    note.textContent = item.note;
    local.append(picture, note);
  }
}

/** The places that a dropped or pasted picture without a place of its own goes to, in this order. */
function free(): string[] {
  const zones = [...document.querySelectorAll<HTMLElement>("[data-place]")];
  const names = (list: HTMLElement[]): string[] => list.map((zone) => zone.dataset.place ?? "");
  return names(zones.filter((zone) => zone.dataset.state === "empty" && !sending.has(zone.dataset.place ?? "")));
}

/** Two files dropped together are a portrait and a card: the first goes where it fell, the next to the free places. */
function spread(put: Put, files: File[], first: string | undefined): void {
  const rest = free().filter((place) => place !== first);
  const order = first ? [first, ...rest] : rest.length > 0 ? rest : ["photo"];
  files.slice(0, order.length).forEach((file, i) => put(order[i] ?? "photo", file));
}

const images = (data: DataTransfer | null): File[] => [...(data?.files ?? [])];

function dropping(put: Put): void {
  const zoneAt = (event: DragEvent): HTMLElement | null =>
    event.target instanceof Element ? event.target.closest<HTMLElement>("[data-place]") : null;
  const mark = (zone: HTMLElement | null): void => {
    for (const other of document.querySelectorAll("[data-place][data-over]")) if (other !== zone) other.removeAttribute("data-over");
    zone?.setAttribute("data-over", "");
  };
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    mark(zoneAt(event));
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) mark(null);
  });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    mark(null);
    spread(put, images(event.dataTransfer), zoneAt(event)?.dataset.place);
  });
}

function pasting(put: Put): void {
  document.addEventListener("paste", (event) => {
    const files = images(event.clipboardData).filter((file) => file.type.startsWith("image/"));
    if (files.length === 0) return; // text, for a field
    event.preventDefault();
    const focused = document.activeElement?.closest<HTMLElement>("[data-place]")?.dataset.place;
    spread(put, files, focused);
  });
}
