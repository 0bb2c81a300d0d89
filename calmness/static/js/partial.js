// htmx, loaded only where a page swaps fragments. Errors show as a toast; the page keeps what it had.
import { policy } from "./trusted.js";
import { toast } from "./toast.js";

const base = new URL("../vendor/htmx.org/htmx.min.js", import.meta.url).href;
const script = document.createElement("script");
script.src = policy ? policy.createScriptURL(base) : base;
script.addEventListener("load", () => {
  const htmx = globalThis.htmx;
  htmx.registerExtension("calmness", {
    init: (api) => {
      if (policy) api.initSecurity?.(policy);
    },
  });
  htmx.config.defaultSwap = "outerMorph";
  // A fault of the server is a whole page: it must not land inside a card. The toast below says what happened.
  htmx.config.noSwap = [204, 304, "5xx"];
  htmx.process?.(document.body);
});
document.head.append(script);

document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector("meta[name=csrf-token]")?.content;
  const headers = event.detail?.ctx?.request?.headers;
  if (token && headers) headers["X-CSRFToken"] = token;
});
for (const name of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(name, () => toast(document.documentElement.lang === "en" ? "The server does not answer. Try again." : "Le serveur ne répond pas. Réessayez dans un instant."));
}
