// Writes web/static/dist/icons.svg: one <symbol> for every Lucide icon that the templates and view models name.
// A name is any string literal in web/templates that is also an icon ("circle-check"); a chance hit costs 200 bytes.
import { readFileSync, writeFileSync, readdirSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const templates = "web/templates";
const lucide = "node_modules/lucide-static/icons";
const out = "web/static/dist/icons.svg";

const known = new Set(readdirSync(lucide).filter((f) => f.endsWith(".svg")).map((f) => f.slice(0, -4)));
const used = new Set();
for (const file of readdirSync(templates, { recursive: true })) {
  if (!/\.(templ|go)$/.test(file) || /_(templ|test)\.go$/.test(file)) continue;
  for (const [, name] of readFileSync(join(templates, file), "utf8").matchAll(/"([a-z][a-z0-9-]*)"/g)) {
    if (known.has(name)) used.add(name);
  }
}

const symbols = [...used].sort().map((name) => {
  const paths = readFileSync(join(lucide, `${name}.svg`), "utf8")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/^[\s\S]*?<svg[\s\S]*?>/, "")
    .replace(/<\/svg>\s*$/, "")
    .replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24">${paths}</symbol>`;
});
mkdirSync("web/static/dist", { recursive: true });
writeFileSync(out, `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
console.log(`${out}: ${symbols.length} icons`);
