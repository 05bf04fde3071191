// The page of a batch keeps the chosen rows when its table comes anew.
let chosen: Set<string> | undefined;

const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>('#selection tbody input[name="id"]')];

export function batch(): void {
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target instanceof Element && event.target.id === "orders") {
      chosen = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
    }
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const box of boxes()) if (chosen?.has(box.value)) box.checked = true;
    chosen = undefined;
  });
}
