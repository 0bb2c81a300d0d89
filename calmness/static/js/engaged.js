// How long this page was looked at: seconds visible and focused, sent when the page is left. No cookie, no third party.
const LIMIT = 1800;

export function begin() {
  const view = document.querySelector("meta[name=view]")?.content;
  if (!view || document.body.classList.contains("is-admin")) return;
  let since = document.visibilityState === "visible" ? performance.now() : null;
  let total = 0;
  let sent = -1;
  const stop = () => {
    if (since === null) return;
    total += (performance.now() - since) / 1000;
    since = null;
  };
  const send = () => {
    stop();
    const engaged = Math.min(Math.round(total), LIMIT);
    if (engaged <= sent) return;
    sent = engaged;
    navigator.sendBeacon("/m", new Blob([JSON.stringify({ of: view, engaged })], { type: "text/plain" }));
  };
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") send();
    else since = performance.now();
  });
  addEventListener("pagehide", send);
  addEventListener("pageshow", (event) => {
    if (event.persisted) since = performance.now();
  });
}
