// The work of the uploader without its looks: each file is hashed, asked about, sent if missing, and tried again if that
// fails. What the server has answered for is settled; nothing else is.
import { Hasher, Unreadable } from "./upload-hash";
import type { Picked } from "./upload-pick";

export type State =
  | "waiting" | "checking" | "sending" | "again" // open
  | "failed" // given up, until somebody presses retry
  | "stored" | "duplicate" | "refused" | "archive"; // settled: the server's outcomes

export interface Item extends Picked {
  state: State;
  sent: number; // bytes of this attempt
  sha256: string;
  attempts: number;
  note: string; // the reason, in the page's language
  version: number; // counts changes, for the list
}

interface Answer {
  outcome: "" | "stored" | "duplicate" | "refused" | "archive";
  reason?: string;
  new?: boolean;
}

export interface Addresses {
  files: string;
  check: string;
  worker: string;
}

/** What went wrong with a request, as a word for the person. */
export type Trouble = "network" | "unreadable" | "denied" | "gone" | "server";

const streams = 4; // files sent at once
const group = 200; // files in one check; the server takes 500
const patience = 60_000; // ms without a byte
const retries = [1_000, 4_000, 12_000]; // ms before each automatic retry

export const isOpen = (s: State): boolean => s === "waiting" || s === "checking" || s === "sending" || s === "again";

export class Queue {
  readonly items: Item[] = [];
  readonly count: Record<State, number> = {
    waiting: 0, checking: 0, sending: 0, again: 0, failed: 0, stored: 0, duplicate: 0, refused: 0, archive: 0,
  };
  /** Outcomes that this page's requests have recorded: what comes on top of the balance it was rendered with. */
  readonly recorded: Record<string, number> = {};
  bytes = 0; // of all items
  settledBytes = 0;
  moved = 0; // bytes that went over the wire, also in vain
  paused = false;
  offline = !navigator.onLine;
  signedOut = false;

  private readonly known = new Map<string, Item>();
  private readonly hasher: Hasher;
  private readonly toHash: Item[] = [];
  private readonly toCheck: Item[] = [];
  private readonly toSend: Item[] = [];
  private readonly running = new Map<Item, XMLHttpRequest>();
  private hashing = 0;
  private asking = false;

  constructor(
    private readonly addresses: Addresses,
    private readonly word: (trouble: Trouble) => string,
    private readonly changed: () => void,
  ) {
    this.hasher = new Hasher(addresses.worker, Math.min(2, navigator.hardwareConcurrency || 1));
    window.addEventListener("offline", () => this.setOffline(true));
    window.addEventListener("online", () => this.setOffline(false));
  }

  get open(): number {
    return this.count.waiting + this.count.checking + this.count.sending + this.count.again;
  }

  get sentBytes(): number {
    let n = this.settledBytes;
    for (const item of this.running.keys()) n += item.sent;
    return n;
  }

  /** Adds files. One that is in the list already is tried again if it failed, and passed over otherwise. */
  add(picked: Picked[]): void {
    for (const { file, name } of picked) {
      const key = `${name}\n${file.size}\n${file.lastModified}`;
      const old = this.known.get(key);
      if (old) {
        old.file = file; // the old handle may be the reason
        if (old.state === "failed") this.again(old);
        continue;
      }
      const item: Item = { file, name, state: "waiting", sent: 0, sha256: "", attempts: 0, note: "", version: 0 };
      this.known.set(key, item);
      this.items.push(item);
      this.count.waiting++;
      this.bytes += file.size;
      this.toHash.push(item);
    }
    this.pump();
    this.changed();
  }

  retryFailed(): void {
    for (const item of this.items) if (item.state === "failed") this.again(item);
    this.signedOut = false;
    this.pump();
  }

  pause(paused: boolean): void {
    this.paused = paused;
    if (!paused) this.signedOut = false;
    this.pump();
    this.changed();
  }

  private get halted(): boolean {
    return this.paused || this.offline || this.signedOut;
  }

  private setOffline(offline: boolean): void {
    this.offline = offline;
    if (offline) for (const request of this.running.values()) request.abort();
    else this.pump();
    this.changed();
  }

  private again(item: Item): void {
    item.attempts = 0;
    item.note = "";
    this.move(item, "waiting");
    (item.sha256 ? this.toCheck : this.toHash).push(item);
  }

  private move(item: Item, state: State): void {
    this.count[item.state]--;
    this.count[state]++;
    item.state = state;
    item.version++;
    this.changed();
  }

  /** Starts whatever can be started. */
  private pump(): void {
    if (this.halted) return;
    while (this.hashing < this.hasher.size && this.toHash.length > 0) void this.hash(this.toHash.shift()!);
    const starving = this.toSend.length + this.running.size < streams;
    if (!this.asking && this.toCheck.length > 0 && (this.toCheck.length >= group || starving || this.hashing === 0)) {
      void this.check(this.toCheck.splice(0, group));
    }
    while (this.running.size < streams && this.toSend.length > 0) this.send(this.toSend.shift()!);
  }

  private async hash(item: Item): Promise<void> {
    this.hashing++;
    this.move(item, "checking");
    try {
      item.sha256 = await this.hasher.hash(item.file);
      this.toCheck.push(item);
    } catch (e) {
      if (!(e instanceof Unreadable)) throw e;
      this.fail(item, "unreadable");
    } finally {
      this.hashing--;
      this.pump();
    }
  }

  /** Asks which of the files have to be sent. */
  private async check(items: Item[]): Promise<void> {
    this.asking = true;
    try {
      const files = items.map(({ name, file, sha256 }) => ({ name, size: file.size, sha256 }));
      const response = await fetch(this.addresses.check, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ files }),
      });
      if (!response.ok) {
        this.refusedRequest(items, response.status);
        return;
      }
      const answers = ((await response.json()) as { files: Answer[] }).files;
      items.forEach((item, i) => {
        const answer = answers[i];
        if (answer?.outcome) this.settle(item, answer);
        else this.toSend.push(item);
      });
    } catch {
      for (const item of items) this.retry(item, "network");
    } finally {
      this.asking = false;
      this.pump();
    }
  }

  private send(item: Item): void {
    const request = new XMLHttpRequest();
    this.running.set(item, request);
    item.sent = 0;
    this.move(item, "sending");
    let watchdog = 0;
    const alive = (): void => {
      window.clearTimeout(watchdog);
      watchdog = window.setTimeout(() => request.abort(), patience);
    };
    const progress = (sent: number): void => {
      alive();
      this.moved += sent - item.sent;
      item.sent = sent;
      item.version++;
      this.changed();
    };
    request.upload.onprogress = (event) => progress(Math.min(event.loaded, item.file.size));
    request.responseType = "json";
    request.onload = () => {
      const answer = request.response as Answer | null; // null: no JSON, so no answer of ours
      if (request.status !== 200 || !answer) {
        this.refusedRequest([item], request.status === 200 ? 502 : request.status);
        return;
      }
      progress(item.file.size);
      this.settle(item, answer);
    };
    request.onabort = () => this.retry(item, "network");
    request.onerror = () => void this.whyBroken(item);
    request.onloadend = () => {
      window.clearTimeout(watchdog);
      this.running.delete(item);
      this.pump();
    };
    request.open("POST", this.addresses.files);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(item.name));
    alive();
    request.send(item.file);
  }

  /** A request breaks in the same way for a dead network and for a file that has gone. */
  private async whyBroken(item: Item): Promise<void> {
    const readable = await item.file.slice(0, 1).arrayBuffer().then(() => true, () => false);
    if (readable) this.retry(item, "network");
    else this.fail(item, "unreadable");
    this.pump();
  }

  private refusedRequest(items: Item[], status: number): void {
    if (status === 401) {
      this.signedOut = true;
      for (const item of items) this.again(item);
      this.changed();
    } else if (status >= 500 || status === 429 || status === 408 || status === 0) {
      for (const item of items) this.retry(item, "server");
    } else {
      for (const item of items) this.fail(item, status === 404 ? "gone" : status === 403 ? "denied" : "server");
    }
  }

  /** Later, by way of another check: the answer may be what was lost, and not the file. */
  private retry(item: Item, trouble: Trouble): void {
    if (this.halted) {
      this.again(item);
      return;
    }
    const wait = retries[item.attempts++];
    if (wait === undefined) {
      this.fail(item, trouble);
      return;
    }
    item.note = this.word(trouble);
    this.move(item, "again");
    window.setTimeout(() => {
      if (item.state !== "again") return;
      this.toCheck.push(item);
      this.pump();
    }, wait * (0.75 + Math.random() / 2));
  }

  private fail(item: Item, trouble: Trouble): void {
    item.note = this.word(trouble);
    this.move(item, "failed");
  }

  private settle(item: Item, answer: Answer): void {
    if (answer.outcome === "") return;
    item.note = answer.reason ?? "";
    item.sent = 0;
    this.settledBytes += item.file.size;
    if (answer.new) this.recorded[answer.outcome] = (this.recorded[answer.outcome] ?? 0) + 1;
    this.move(item, answer.outcome);
  }
}
