// Keeps <time data-rel> fresh on a page that stays open, by the rules of i18n.Relative: minutes up to an hour. Older
// times name the clock and do not change, except that one passes the hour while we look; then it becomes the clock.
import { text } from "./page";

export function relativeTimes(): void {
  window.setInterval(refresh, 20_000);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
}

function refresh(): void {
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[data-rel]")) {
    const t = new Date(element.dateTime), now = new Date();
    const soon = element.dataset.rel === "due" && t.getTime() - now.getTime() < near;
    element.textContent = (soon ? text("soon") : relative(t, now)) ?? element.textContent;
  }
}

/** What happens within so many milliseconds happens any moment; see dueSoon in web/templates/ui. */
const near = 45_000;

const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });

/** What to show for t at now, or undefined to leave what the server wrote. */
export function relative(t: Date, now: Date): string | undefined {
  const seconds = (now.getTime() - t.getTime()) / 1000;
  if (Math.abs(seconds) < 45) return text("now");
  if (Math.abs(seconds) < 3600) {
    const minutes = Math.min(59, Math.max(1, Math.round(Math.abs(seconds) / 60)));
    return text(seconds > 0 ? "ago" : "in", minutes);
  }
  return seconds > 0 && seconds < 3700 ? clock.format(t) : undefined;
}
