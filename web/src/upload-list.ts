// A list of any length of which only the rows in view exist. Rows are moved, not made, while scrolling.
import type { Item } from "./upload-queue";
import { Thumbs } from "./upload-thumbs";

const rowHeight = 48; // px, h-12 of the row template
const spare = 6; // rows beyond either edge

interface Row {
  element: HTMLElement;
  name: HTMLElement;
  size: HTMLElement;
  dot: HTMLElement;
  note: HTMLElement;
  state: HTMLElement;
  word: HTMLElement;
  icon: SVGUseElement;
  canvas: HTMLCanvasElement;
  item?: Item;
  index: number;
  version: number;
}

/** How an item looks: words and colours are the panel's matter. */
export interface Look {
  icon: string;
  word: string;
  tone: "" | "run" | "wait" | "fail";
  size: string;
  note: string; // why; may be empty
}

export class List {
  private items: Item[] = [];
  private readonly rows: Row[] = [];
  private readonly thumbs = new Thumbs();
  private scheduled = false;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly space: HTMLElement,
    private readonly template: HTMLTemplateElement,
    private readonly look: (item: Item) => Look,
  ) {
    scroller.addEventListener("scroll", () => this.schedule(), { passive: true });
    new ResizeObserver(() => this.schedule()).observe(scroller);
  }

  /** Shows these items; call it again when the list itself is another one. */
  show(items: Item[]): void {
    this.items = items;
    this.schedule();
  }

  /** Looks at the rows in view at the next frame. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  private draw(): void {
    const height = `${this.items.length * rowHeight}px`;
    if (this.space.style.height !== height) this.space.style.height = height;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / rowHeight) - spare);
    const last = Math.min(this.items.length, Math.ceil((this.scroller.scrollTop + this.scroller.clientHeight) / rowHeight) + spare);
    while (this.rows.length < last - first) this.rows.push(this.make());
    // Each index has its row, so that a row in view stays where it is while others scroll out.
    const n = this.rows.length;
    for (const row of this.rows) row.element.hidden = true;
    for (let index = first; index < last; index++) {
      const row = this.rows[index % n]!;
      this.fill(row, this.items[index]!, index);
      row.element.hidden = false;
    }
    const shown = this.rows.filter((row) => !row.element.hidden);
    this.thumbs.wanted(shown.flatMap(({ item, canvas }) => (item ? [{ file: item.file, canvas }] : [])));
  }

  private fill(row: Row, item: Item, index: number): void {
    if (row.index !== index) {
      row.index = index;
      row.element.style.transform = `translateY(${index * rowHeight}px)`;
      row.element.ariaPosInSet = String(index + 1);
    }
    row.element.ariaSetSize = String(this.items.length);
    if (row.item === item && row.version === item.version) return;
    if (row.item !== item) {
      row.name.textContent = item.name;
      row.name.title = item.name;
    }
    row.item = item;
    row.version = item.version;
    const look = this.look(item);
    row.size.textContent = look.size;
    row.dot.hidden = !look.note;
    row.note.textContent = look.note;
    row.note.title = look.note;
    row.word.textContent = look.word;
    row.state.className = look.tone ? `state s-${look.tone}` : "state";
    row.icon.setAttribute("href", (row.icon.getAttribute("href") ?? "").replace(/#.*/, `#${look.icon}`));
  }

  private make(): Row {
    const element = (this.template.content.firstElementChild as HTMLElement).cloneNode(true) as HTMLElement;
    const part = <T extends Element>(selector: string): T => element.querySelector<T>(selector)!;
    this.space.append(element);
    return {
      element, name: part("[data-name]"), size: part("[data-size]"), dot: part("[data-dot]"), note: part("[data-note]"),
      state: part("[data-state]"), word: part("[data-word]"), icon: part("[data-state] use"), canvas: part("canvas"),
      index: -1, version: -1,
    };
  }
}
