// data-confirm-name="三(2)班" on a form: its submit button waits until exactly that is typed.
import { on, onContent } from "./page";

export function confirming(): void {
  onContent((root) => root.querySelectorAll<HTMLFormElement>("form[data-confirm-name]").forEach(check));
  on("input", "form[data-confirm-name]", (form) => check(form as HTMLFormElement));
}

function check(form: HTMLFormElement): void {
  const typed = form.querySelector<HTMLInputElement>('input[name="confirm"]')?.value.trim();
  const submit = form.querySelector<HTMLButtonElement>('button[type="submit"]');
  if (submit) submit.disabled = typed !== form.dataset.confirmName;
}
