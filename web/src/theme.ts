// Choosing a theme changes the page at once and keeps it in the cookie that the server renders from; without script the
// same link does it by a round trip.
import { on } from "./page";

const cookie = "huizhi_theme"; // layout.ThemeCookie
const attribute: Record<string, string> = { light: "huizhi", dark: "huizhi-dark" };

export function themes(): void {
  on("click", "[data-theme-choice]", (link, event) => {
    const theme = link.dataset.themeChoice ?? "system";
    event.preventDefault();
    document.cookie = `${cookie}=${theme}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
    const value = attribute[theme];
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
    for (const menu of document.querySelectorAll("details.menu-d:has([data-theme-choice])")) mark(menu, theme);
  });
}

function mark(menu: Element, theme: string): void {
  for (const item of menu.querySelectorAll<HTMLElement>("[data-theme-choice]")) {
    const chosen = item.dataset.themeChoice === theme;
    item.toggleAttribute("aria-current", chosen);
    const tick = item.querySelector("svg:last-child:not(:first-child)");
    if (!chosen) {
      tick?.remove();
      continue;
    }
    item.setAttribute("aria-current", "true");
    const icon = item.querySelector("svg");
    const face = menu.querySelector("summary use");
    if (icon) face?.setAttribute("href", icon.querySelector("use")?.getAttribute("href") ?? "");
    if (!tick && icon) {
      const copy = icon.cloneNode(true) as SVGElement;
      copy.classList.add("ms-auto");
      const use = copy.querySelector("use");
      use?.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*/, "#check"));
      item.append(copy);
    }
  }
}
