// The page works without this script. With it, the form shows only what the chosen fault needs, and the figures follow.
const rule = document.getElementById("rule");
const op = rule.elements.namedItem("op");
const kind = rule.elements.namedItem("kind");

function fit() {
  const group = op.selectedOptions[0].dataset.group;
  for (const g of kind.querySelectorAll("optgroup")) {
    g.hidden = g.disabled = g.dataset.group !== group;
  }
  if (kind.selectedOptions[0]?.parentElement.disabled ?? true) {
    kind.value = kind.querySelector("optgroup:not([disabled]) option").value;
  }
  const uses = kind.selectedOptions[0].dataset.uses.split(" ");
  for (const field of rule.querySelectorAll("[data-field]")) {
    field.hidden = !uses.includes(field.dataset.field);
  }
}
op.addEventListener("change", fit);
kind.addEventListener("change", fit);
fit();

const live = document.getElementById("live");
setInterval(async () => {
  if (document.hidden || !getSelection().isCollapsed) return; // nobody looks, or somebody is copying
  try {
    const answer = await fetch(live.dataset.from);
    if (answer.ok) live.innerHTML = await answer.text();
    live.classList.toggle("stale", !answer.ok);
  } catch {
    live.classList.add("stale");
  }
}, 2000);
