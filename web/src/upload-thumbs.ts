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
  private readonly shown = new WeakMap<HTMLCanvasElement, File>();
  private list: Wanted[] = [];
  private busy = false;
  private timer = 0;

  /** Says what is in view now; earlier wishes are forgotten. */
  wanted(list: Wanted[]): void {
    this.list = [];
    for (const one of list) {
      if (this.shown.get(one.canvas) === one.file) continue;
      const bitmap = this.cache.get(one.file);
      draw(one.canvas, bitmap ?? null);
      if (bitmap === undefined) {
        this.shown.delete(one.canvas);
        this.list.push(one);
      } else {
        this.shown.set(one.canvas, one.file);
      }
    }
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.work(), calm);
  }

  private async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let one = this.list.shift(); one; one = this.list.shift()) {
      const bitmap = await decode(one.file);
      this.keep(one.file, bitmap);
      draw(one.canvas, bitmap);
      this.shown.set(one.canvas, one.file);
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
