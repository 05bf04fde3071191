// Hands files to workers and gives their SHA-256 back.

export class Unreadable extends Error {}

interface Waiting {
  resolve: (sha256: string) => void;
  reject: (reason: Error) => void;
}

/** A few workers, each with one file at a time: the caller keeps no more than `size` hashes asked for. */
export class Hasher {
  private readonly idle: Worker[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private next = 0;
  private broken = false;

  constructor(url: string, readonly size: number) {
    for (let i = 0; i < size; i++) {
      const worker = new Worker(url);
      worker.onmessage = ({ data }: MessageEvent<{ id: number; sha256?: string }>) => {
        this.idle.push(worker);
        const waiting = this.waiting.get(data.id);
        this.waiting.delete(data.id);
        if (data.sha256 !== undefined) waiting?.resolve(data.sha256);
        else waiting?.reject(new Unreadable());
      };
      // Workers that do not start: the server finds out alone which files it has.
      worker.onerror = () => {
        this.broken = true;
        for (const { resolve } of this.waiting.values()) resolve("");
        this.waiting.clear();
      };
      this.idle.push(worker);
    }
  }

  /** The hash in hex, or "" where none can be made. Fails for a file that cannot be read. */
  hash(file: File): Promise<string> {
    const worker = this.idle.pop();
    if (this.broken || !worker) return Promise.resolve("");
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.postMessage({ id, file });
    });
  }
}
