// Extensions that register themselves with htmx when imported.
declare module "htmx-ext-sse";
declare module "idiomorph/htmx";
