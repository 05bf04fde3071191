// Small pictures of local files, for the rows in view alone: one is decoded at a time, and no more than a few hundred of
// 16 KB are kept.

const side = 64; // px, twice the size it is shown at
const kept = 300;
const calm = 150; // ms without scrolling before anything is decoded

interface Wanted {
  file: File;
  canvas: HTMLCanvasElement;
}

export class Thumbs {
  private readonly cache = new Map<File, ImageBitmap | null>(); // null: the browser cannot show it
  private readonly meant = new WeakMap<HTMLCanvasElement, File>(); // a row's canvas serves many files
  private list: Wanted[] = [];
  private busy = false;
  private timer = 0;

  /** Says what is in view now; earlier wishes are forgotten. */
  wanted(view: Wanted[]): void {
    const before = this.list;
    this.list = [];
    for (const one of view) {
      const bitmap = this.cache.get(one.file);
      if (this.meant.get(one.canvas) !== one.file) {
        this.meant.set(one.canvas, one.file);
        draw(one.canvas, bitmap ?? null);
      }
      if (bitmap === undefined) this.list.push(one);
    }
    // Only another view starts the wait anew: rows change all the time while files are being sent.
    if (this.list.every(({ file }, i) => before[i]?.file === file)) return;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.work(), calm);
  }

  private async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let one = this.list.shift(); one; one = this.list.shift()) {
      const { file, canvas } = one;
      if (!this.cache.has(file)) this.keep(file, await decode(file));
      if (this.meant.get(canvas) === file) draw(canvas, this.cache.get(file) ?? null);
    }
    this.busy = false;
  }

  private keep(file: File, bitmap: ImageBitmap | null): void {
    this.cache.set(file, bitmap);
    if (this.cache.size <= kept) return;
    const [oldest] = this.cache.keys();
    if (oldest) {
      this.cache.get(oldest)?.close();
      this.cache.delete(oldest);
    }
  }
}

async function decode(file: File): Promise<ImageBitmap | null> {
  if (!file.type.startsWith("image/")) return null;
  try {
    return await createImageBitmap(file, { resizeWidth: side, resizeQuality: "low" });
  } catch {
    return null;
  }
}

/** Fills the canvas, cutting off what does not fit. */
function draw(canvas: HTMLCanvasElement, bitmap: ImageBitmap | null): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  context.clearRect(0, 0, side, side);
  if (!bitmap) return;
  const scale = Math.max(side / bitmap.width, side / bitmap.height);
  context.drawImage(bitmap, (side - bitmap.width * scale) / 2, 0, bitmap.width * scale, bitmap.height * scale);
}
