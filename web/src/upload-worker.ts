// Runs beside the page: hashes files, so that the page never waits for it.
import { Sha256 } from "./upload-sha256";

interface Job {
  id: number;
  file: File;
}

// What is larger is hashed in pieces instead of being held in memory.
const whole = 64 << 20;

// tsc takes this file for a page's script; in a worker, self is this.
const port = self as unknown as { onmessage: (event: MessageEvent<Job>) => void; postMessage: (message: unknown) => void };

port.onmessage = ({ data: { id, file } }) => {
  hash(file).then(
    (sha256) => port.postMessage({ id, sha256 }),
    () => port.postMessage({ id }), // moved or deleted since it was picked
  );
};

async function hash(file: File): Promise<string> {
  if (file.size <= whole && self.crypto?.subtle) {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const sum = new Sha256();
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return sum.hex();
    sum.update(value);
  }
}
