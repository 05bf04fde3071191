// The upload part of a batch's page (web/templates/uploadview): takes files, shows how far they are, and a balance that
// adds up: picked = stored + uploading + not sent + duplicate + refused.
import { List, type Look } from "./upload-list";
import { fromCamera, fromDrop, fromInput, type Picked } from "./upload-pick";
import { isOpen, Queue, type Addresses, type Item, type State } from "./upload-queue";

interface Balance {
  picked: number;
  stored: number;
  duplicate: number;
  refused: number;
  unpacking: number; // ZIPs
  entries: number; // files in them still to come
}

interface Settings extends Addresses {
  balance: string;
  start: Balance;
  words: Record<string, string>;
  icons: Record<string, string>;
}

const tones: Record<State, Look["tone"]> = {
  waiting: "", checking: "", sending: "run", again: "wait", failed: "fail", stored: "", duplicate: "", refused: "wait", archive: "run",
};

const filters: Record<string, (item: Item) => boolean> = {
  all: () => true,
  open: (item) => isOpen(item.state),
  problem: (item) => item.state === "failed" || item.state === "refused",
};

const refresh = 200; // ms between looks at the figures
const slice = 8; // ms of work before the page may do something else
const watch = 1500; // ms between looks at what the server is unpacking
const speedWindow = 5000; // ms over which the speed is an average

class Uploader {
  private readonly settings: Settings;
  private readonly queue: Queue;
  private readonly list: List;
  private readonly numbers = new Intl.NumberFormat(document.documentElement.lang);
  private balance: Balance;
  private counted: Record<string, number> = {}; // of queue.recorded, what the balance has in it
  private filter = "all";
  private timer = 0;
  private watcher = 0;
  private samples: { at: number; moved: number }[] = [];
  private announcedAt = 0;
  private reading = 0; // files found so far in a dropped folder

  constructor(private readonly root: HTMLElement) {
    this.settings = JSON.parse(root.dataset.settings ?? "{}") as Settings;
    this.balance = this.settings.start;
    this.queue = new Queue(this.settings, (trouble) => this.word(`error_${trouble}`), () => this.schedule());
    this.list = new List(this.part("[data-scroller]"), this.part("[data-space]"), this.part("[data-row]"), (item) => this.look(item));
    for (const element of root.querySelectorAll<HTMLElement>("[data-with-script]")) element.hidden = false;
    this.listen();
    if (this.balance.unpacking > 0) this.watch();
  }

  private part<T extends HTMLElement>(selector: string): T {
    return this.root.querySelector<T>(selector)!;
  }

  /** A word of the page's language with its {placeholders} filled in. */
  private word(name: string, values: Record<string, string | number> = {}): string {
    return (this.settings.words[name] ?? name).replace(/\{(\w+)\}/g, (_, key: string) => {
      const value = values[key] ?? "";
      return typeof value === "number" ? this.numbers.format(value) : value;
    });
  }

  private listen(): void {
    for (const input of this.root.querySelectorAll<HTMLInputElement>("[data-pick]")) {
      input.addEventListener("change", () => {
        void this.add(input.dataset.pick === "camera" ? fromCamera(input, this.word("shot")) : fromInput(input));
        input.value = ""; // the same choice again is a choice
      });
    }
    // Files may be dropped anywhere on the page: beside the box the browser would leave the page for them.
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      this.root.dataset.dragging = "";
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) delete this.root.dataset.dragging;
    });
    document.addEventListener("drop", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      delete this.root.dataset.dragging;
      void this.drop(event.dataTransfer);
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.queue.open > 0) event.preventDefault();
    });
    this.part("[data-retry]").addEventListener("click", () => this.queue.retryFailed());
    this.part("[data-pause]").addEventListener("click", () => this.queue.pause(!(this.queue.paused || this.queue.signedOut)));
    this.part("[data-fold]").addEventListener("click", () => this.fold());
    for (const chip of this.root.querySelectorAll<HTMLElement>("[data-filter]")) {
      chip.addEventListener("click", () => {
        this.filter = chip.dataset.filter ?? "all";
        for (const other of this.root.querySelectorAll("[data-filter]")) other.ariaPressed = String(other === chip);
        this.part("[data-scroller]").scrollTop = 0;
        this.draw();
      });
    }
  }

  private async drop(data: DataTransfer): Promise<void> {
    const picked = await fromDrop(data, (n) => {
      this.reading = n;
      this.schedule();
    });
    this.reading = 0;
    await this.add(picked);
  }

  /** Looking at a file's size and date goes to the disk: thousands of them are taken in slices. */
  private async add(picked: Picked[]): Promise<void> {
    for (let at = 0, start = performance.now(); at < picked.length; at += 20) {
      this.queue.add(picked.slice(at, at + 20));
      if (performance.now() - start < slice) continue;
      await new Promise((resolve) => window.setTimeout(resolve));
      start = performance.now();
    }
    this.draw();
  }

  private fold(): void {
    const scroller = this.part("[data-scroller]");
    scroller.hidden = !scroller.hidden;
    this.part("[data-fold]").ariaExpanded = String(!scroller.hidden);
  }

  /** Figures change thousands of times a minute; they are written a few times a second. */
  private schedule(): void {
    this.list.schedule();
    if (this.timer) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.draw();
    }, refresh);
  }

  private draw(): void {
    const { queue } = this;
    const any = queue.items.length > 0;
    this.part("[data-files]").hidden = !any;
    this.part("[data-live]").hidden = !any && this.reading === 0;
    if (any || this.reading > 0) this.root.querySelector("[data-lesson]")?.remove();
    this.drawLive();
    this.drawBalance();
    this.drawList();
    if (any && queue.open === 0) void this.fetchBalance();
    if (queue.open > 0) this.schedule(); // the speed falls while nothing moves
    this.announce();
  }

  private drawLive(): void {
    const { queue } = this;
    const write = (selector: string, text: string): void => {
      const place = this.part(selector);
      if (place.textContent !== text) place.textContent = text;
    };
    write("[data-title]", this.title());
    const progress = this.part<HTMLProgressElement>("[data-progress]");
    progress.max = Math.max(queue.bytes, 1);
    progress.value = queue.bytes === 0 && queue.open === 0 ? 1 : queue.sentBytes;
    write("[data-amount]", this.reading > 0 ? "" : this.word("amount", { done: bytes(queue.sentBytes), total: bytes(queue.bytes) }));
    const pace = this.pace();
    this.part("[data-pace]").hidden = !pace;
    if (pace) {
      write("[data-speed]", pace.speed);
      write("[data-left]", pace.left);
    }
    const pause = this.part("[data-pause]");
    pause.hidden = queue.open === 0;
    const label = this.word(queue.paused || queue.signedOut ? "resume" : "pause");
    if (pause.textContent !== label) pause.textContent = label;
    this.part("[data-retry]").hidden = queue.count.failed === 0;
  }

  private title(): string {
    const { queue } = this;
    if (this.reading > 0) return this.word("reading_folder", { n: this.reading });
    if (queue.open > 0) {
      if (queue.signedOut) return this.word("title_signed_out");
      if (queue.offline) return this.word("title_offline");
      if (queue.paused) return this.word("title_paused");
      return this.word(queue.count.sending > 0 || queue.moved > 0 ? "title_sending" : "title_checking");
    }
    return queue.count.failed > 0 ? this.word("title_unsent", { n: queue.count.failed }) : this.word("title_done");
  }

  /** Speed and time left, once they are known. */
  private pace(): { speed: string; left: string } | null {
    const { queue } = this;
    const now = performance.now();
    this.samples.push({ at: now, moved: queue.moved });
    while (this.samples.length > 2 && now - this.samples[0]!.at > speedWindow) this.samples.shift();
    const first = this.samples[0]!;
    if (queue.open === 0 || now - first.at < 500) return null;
    const speed = ((queue.moved - first.moved) / (now - first.at)) * 1000; // bytes a second
    if (speed < 1) return null;
    const seconds = Math.ceil((queue.bytes - queue.sentBytes) / speed);
    const left = seconds < 100 ? this.word("seconds_left", { n: seconds }) : this.word("minutes_left", { n: Math.ceil(seconds / 60) });
    return { speed: this.word("speed", { speed: bytes(speed) }), left };
  }

  private drawBalance(): void {
    const { queue, balance } = this;
    const since = (outcome: string): number => (queue.recorded[outcome] ?? 0) - (this.counted[outcome] ?? 0);
    const parts: Record<string, number> = {
      stored: balance.stored + since("stored"),
      sending: queue.open,
      failed: queue.count.failed,
      duplicate: balance.duplicate + since("duplicate"),
      refused: balance.refused + since("refused"),
    };
    const picked = Object.values(parts).reduce((a, b) => a + b, 0);
    const unpacking = balance.unpacking + since("archive");
    for (const [name, n] of Object.entries({ ...parts, picked })) {
      const place = this.part(`[data-count="${name}"]`);
      const text = this.numbers.format(n);
      if (place.textContent !== text) place.textContent = text;
    }
    this.part('[data-term="sending"]').hidden = parts.sending === 0;
    this.part('[data-term="failed"]').hidden = parts.failed === 0;
    this.part("[data-reasons]").hidden = parts.refused === 0;
    this.part("[data-unpacking]").hidden = unpacking <= 0;
    this.part("[data-unpacking-text]").textContent = this.word("unpacking", { n: balance.entries });
    this.part("[data-balance]").hidden = picked === 0 && unpacking <= 0;
    const leave = queue.items.length === 0 ? "" : this.word(queue.open > 0 || queue.count.failed > 0 ? "leave_later" : "leave_now");
    this.part("[data-leave]").textContent = leave;
  }

  private drawList(): void {
    const { items } = this.queue;
    for (const chip of this.root.querySelectorAll<HTMLElement>("[data-filter]")) {
      const { count } = this.queue;
      const n = { all: items.length, open: this.queue.open, problem: count.failed + count.refused }[chip.dataset.filter ?? ""] ?? 0;
      chip.querySelector("[data-filter-count]")!.textContent = this.numbers.format(n);
    }
    this.list.show(this.filter === "all" ? items : items.filter(filters[this.filter] ?? (() => true)));
  }

  private look(item: Item): Look {
    const state = item.state === "archive" && this.unpacked() ? "unpacked" : item.state;
    const percent = item.state === "sending" && item.file.size > 0 ? ` ${Math.floor((100 * item.sent) / item.file.size)}%` : "";
    return {
      icon: this.settings.icons[state] ?? "circle",
      word: this.word(`state_${state}`) + percent,
      tone: state === "unpacked" ? "" : tones[item.state],
      size: bytes(item.file.size),
      note: item.note,
    };
  }

  /** The server's count replaces ours whenever nothing is under way: other windows and ZIPs add to it. */
  private async fetchBalance(): Promise<void> {
    if (this.watcher) return;
    const { queue } = this;
    const recorded = { ...queue.recorded };
    if (Object.keys(recorded).every((k) => recorded[k] === (this.counted[k] ?? 0))) return;
    await this.readBalance(recorded);
    if (this.balance.unpacking > 0) this.watch();
  }

  private async readBalance(recorded: Record<string, number>): Promise<void> {
    const response = await fetch(this.settings.balance).catch(() => null);
    if (!response?.ok) return;
    const balance = (await response.json()) as Balance;
    if (this.queue.open > 0) return; // files were added meanwhile: some may be counted twice
    this.balance = balance;
    this.counted = recorded;
    this.drawBalance();
    for (const item of this.queue.items) if (item.state === "archive") item.version++;
    this.drawList();
  }

  /** Tells whether every ZIP has been unpacked. */
  private unpacked(): boolean {
    return this.balance.unpacking === 0 && (this.queue.recorded.archive ?? 0) === (this.counted.archive ?? 0);
  }

  private watch(): void {
    if (this.watcher) return;
    this.watcher = window.setInterval(() => {
      if (this.queue.open > 0) return;
      void this.readBalance({ ...this.queue.recorded }).then(() => {
        if (this.balance.unpacking > 0) return;
        window.clearInterval(this.watcher);
        this.watcher = 0;
      });
    }, watch);
  }

  /** Tells those who cannot see it, now and then and at the end. */
  private announce(): void {
    const { queue } = this;
    const now = performance.now();
    if (queue.items.length === 0 || (queue.open > 0 && now - this.announcedAt < 10_000)) return;
    this.announcedAt = now;
    const values = { done: queue.items.length - queue.open - queue.count.failed, total: queue.items.length, failed: queue.count.failed };
    this.part("[data-announce]").textContent = this.word("announce", values);
  }
}

/** As i18n.Bytes writes sizes on the server. */
function bytes(n: number): string {
  if (n < 1000) return `${Math.round(n)} B`;
  if (n < 999_500) return `${Math.round(n / 1000)} KB`;
  if (n < 999_950_000) return `${(n / 1e6).toFixed(1)} MB`;
  return `${(n / 1e9).toFixed(1)} GB`;
}

for (const root of document.querySelectorAll<HTMLElement>("[data-uploader]")) new Uploader(root);
