// From what a person picks or drops to a list of files with their folders.

/** A file with the name it gets: "三年级/2班/李雷.jpg". */
export interface Picked {
  file: File;
  name: string;
}

/** The files of an <input type="file">, with or without webkitdirectory. */
export function fromInput(input: HTMLInputElement): Picked[] {
  return Array.from(input.files ?? [], (file) => ({ file, name: wellFormed(file.webkitRelativePath || file.name) })).filter(meant);
}

let shots = 0;

/** Pictures just taken. Phones call each of them image.jpg, which would make them one person's. */
export function fromCamera(input: HTMLInputElement, word: string): Picked[] {
  return Array.from(input.files ?? [], (file) => {
    const ending = /\.[a-z0-9]{2,5}$/i.exec(file.name)?.[0] ?? ".jpg";
    const at = new Date(file.lastModified);
    const two = (n: number): string => String(n).padStart(2, "0");
    const time = `${two(at.getMonth() + 1)}${two(at.getDate())}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
    return { file, name: `${word}-${time}-${100 + ++shots}${ending}` };
  });
}

/** The files of a drop, with everything in dropped folders. Calls found with the running count. */
export async function fromDrop(data: DataTransfer, found: (n: number) => void): Promise<Picked[]> {
  // Entries are gone when the handler of the event returns, so they are all taken first.
  const entries = Array.from(data.items, (item) => (item.kind === "file" ? item.webkitGetAsEntry() : null)).filter((e) => e !== null);
  const picked: Picked[] = [];
  const walk = async (entry: FileSystemEntry): Promise<void> => {
    if (entry.isDirectory) {
      for (const child of await list(entry as FileSystemDirectoryEntry)) await walk(child);
      return;
    }
    const file = await new Promise<File | null>((resolve) => (entry as FileSystemFileEntry).file(resolve, () => resolve(null)));
    const one = file && { file, name: wellFormed(entry.fullPath.replace(/^\//, "")) };
    if (one && meant(one)) {
      picked.push(one);
      found(picked.length);
    }
  };
  for (const entry of entries) await walk(entry);
  return picked;
}

/** All entries of a folder: readEntries gives at most a hundred at a time. */
async function list(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Windows allows halves of characters in names; nothing that encodes does. */
const wellFormed = (name: string): string => name.replace(/\p{Surrogate}/gu, "\ufffd");

/** Not what systems put into folders by themselves. */
function meant({ name }: Picked): boolean {
  const parts = name.split("/");
  const base = parts[parts.length - 1]?.toLowerCase() ?? "";
  return !parts.includes("__MACOSX") && !base.startsWith(".") && !base.startsWith("~$") && base !== "thumbs.db" && base !== "desktop.ini";
}
