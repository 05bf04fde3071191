// Pages that refresh themselves leave alone what a person does meanwhile: folded details stay as they were opened or
// closed, and an open dialog, with what is typed into it, waits for the refresh after it was closed.
import { Idiomorph } from "idiomorph/htmx";

export function morphing(): void {
  const callbacks = Idiomorph.defaults.callbacks;
  callbacks.beforeAttributeUpdated = (name: string, node: Element): boolean => !(name === "open" && node instanceof HTMLDetailsElement);
  callbacks.beforeNodeMorphed = (node: Node): boolean => !(node instanceof HTMLDialogElement && node.open) && !typedInto(node);
}

/** A field at the counter that somebody is typing into while the card is being read. */
function typedInto(node: Node): boolean {
  return node instanceof HTMLInputElement && node === document.activeElement && node.value !== node.defaultValue && node.closest("[data-counter]") !== null;
}
