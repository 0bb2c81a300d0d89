// Starts the module of every element with data-module, also in what htmx brings in, and stops it when it goes.
// A module exports one function: it takes the element and may return a function that cleans up.
import { policy } from "./trusted.js";
import { settle } from "./modules/draft.js";

const running = new Map();

export async function start(root = document) {
  const found = [...root.querySelectorAll("[data-module]")];
  if (root instanceof Element && root.dataset.module) found.unshift(root);
  for (const element of found) {
    for (const name of element.dataset.module.split(" ")) {
      const key = `${name}`;
      const started = running.get(element) ?? new Map();
      if (started.has(key)) continue;
      running.set(element, started.set(key, null));
      try {
        const module = await import(`./modules/${name}.js`);
        started.set(key, module.default(element) ?? null);
      } catch (error) {
        // One broken behaviour must not stop the others: the page works without it.
        console.error(`module ${name}`, error);
      }
    }
  }
}

function sweep() {
  for (const [element, started] of running) {
    if (element.isConnected) continue;
    for (const stop of started.values()) if (typeof stop === "function") stop();
    running.delete(element);
  }
}

new MutationObserver((changes) => {
  let removed = false;
  for (const change of changes) {
    for (const node of change.addedNodes) if (node instanceof Element) start(node);
    removed ||= change.removedNodes.length > 0;
  }
  if (removed) sweep();
}).observe(document.documentElement, { childList: true, subtree: true });

settle();
start();

if (document.querySelector("meta[name=user]")) {
  import("./session.js").then((session) => session.begin());
  import("./live.js").then((live) => live.begin());
}
if (document.querySelector("[hx-get], [hx-post], [data-hx-get], [data-hx-post]")) import("./partial.js");

import("./engaged.js").then((engaged) => engaged.begin());

// Private windows refuse it: then the browser's own page says that the site cannot be reached.
navigator.serviceWorker?.register(policy ? policy.createScriptURL("/sw.js") : "/sw.js").catch(() => {});
