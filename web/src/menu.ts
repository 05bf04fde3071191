// Menus are <details>: this closes them by Esc, by a press elsewhere and after a choice.
const open = (): NodeListOf<HTMLDetailsElement> => document.querySelectorAll("details.menu-d[open]");

export function menus(): void {
  document.addEventListener("click", (event) => {
    for (const menu of open()) {
      const inside = event.target instanceof Node && menu.contains(event.target);
      const chosen = event.target instanceof Element && event.target.closest(".menu-i");
      if (!inside || chosen) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = open()[0];
    if (!menu) return;
    const items = [...menu.querySelectorAll<HTMLElement>(".menu-i")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    } else if (event.key === "ArrowDown") {
      items[(at + 1) % items.length]?.focus();
    } else if (event.key === "ArrowUp") {
      items[(at - 1 + items.length) % items.length]?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  });
}
