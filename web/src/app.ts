// The script of every page: htmx with its two extensions, and our own behaviours, each in its file. Nothing here is
// needed to use the product: links and forms work without it.
import htmx from "htmx.org";
import "htmx-ext-sse";

import { batch } from "./batch";
import { copying } from "./copy";
import { counter } from "./counter";
import { confirming } from "./confirm";
import { dialogs } from "./dialog";
import { keys } from "./keys";
import { menus } from "./menu";
import { morphing } from "./morph";
import { printing } from "./print";
import { relativeTimes } from "./reltime";
import { review } from "./review";
import { rows } from "./rows";
import { selection } from "./selection";
import { sidePanel } from "./panel";
import { streams } from "./stream";
import { submitOnce } from "./submit";
import { themes } from "./theme";
import { toasts } from "./toast";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

// Pages that bring a script of their own (uploading) find htmx here.
window.htmx = htmx;

morphing();
submitOnce();
toasts();
dialogs();
confirming();
menus();
selection();
rows();
sidePanel();
copying();
printing();
themes();
relativeTimes();
streams();
batch();
review();
counter();
keys();
