// Fetches this page again when news arrive and puts the fresh inside of the element in place:
// <div id="resume" data-module="refresh" data-refresh-on="account:updated">.
// A page that answers a form has another address: it says which page to fetch by data-refresh-from.
// data-refresh-every="60": also by the clock while the page is looked at, for silence brings no news.
// When the connection for news comes late or again it asks as well; when it comes at once, where something inside is
// [data-unfinished]: news may have come between the page and its connection.
// data-refresh-if="[data-unfinished]": only while something inside matches; a form that is being filled in is left alone.
import { policy } from "../trusted.js";

export default function refresh(element) {
  const names = element.dataset.refreshOn.split(" ");
  let busy = false;
  let again = false;
  const wanted = () => !element.dataset.refreshIf || element.querySelector(element.dataset.refreshIf);
  const fetchAgain = async () => {
    if (!wanted()) return;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      do {
        again = false;
        const response = await fetch(element.dataset.refreshFrom ?? location.href, { credentials: "same-origin", headers: { "X-Refresh": "1" } });
        if (!response.ok || response.redirected) break;
        const html = await response.text();
        const page = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
        const fresh = page.getElementById(element.id);
        if (fresh) element.replaceChildren(...fresh.childNodes);
      } while (again);
    } catch {
      // The network is gone: what is shown stays, and the next news, or the clock, ask again.
    } finally {
      busy = false;
    }
  };
  const onConnected = ({ detail }) => (detail.isLate || element.querySelector("[data-unfinished]")) && fetchAgain();
  for (const name of names) document.addEventListener(name, fetchAgain);
  document.addEventListener("live:connected", onConnected);
  const seconds = Number(element.dataset.refreshEvery ?? 0);
  const timer = seconds && setInterval(() => document.visibilityState === "visible" && fetchAgain(), seconds * 1000);
  return () => {
    clearInterval(timer);
    for (const name of names) document.removeEventListener(name, fetchAgain);
    document.removeEventListener("live:connected", onConnected);
  };
}
