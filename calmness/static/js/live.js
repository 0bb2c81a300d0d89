// News for open pages: unread badge, notices, updates of accounts. A missed event is made good by asking again.
import { toast } from "./toast.js";

const UNREAD_EVERY_MS = 60_000;
const LATE_MS = 10_000;
const aMoment = () => new Promise((goOn) => setTimeout(goOn, 1_000));

export function setCount(key, count) {
  for (const badge of document.querySelectorAll(`[data-count="${CSS.escape(key)}"]`)) {
    badge.hidden = count === 0;
    const shown = badge.querySelector("[data-count-shown]");
    const said = badge.querySelector("[data-count-said]");
    if (shown) shown.textContent = count > 99 ? "99+" : String(count);
    if (said) said.textContent = said.textContent.replace(/^\d+/, String(count));
  }
  if (key !== "notifications") return;
  const title = document.title.replace(/^\(\d+\+?\) /, "");
  document.title = count ? `(${count > 99 ? "99+" : count}) ${title}` : title;
}

async function isLoggedOut() {
  const answer = await fetch("/espace/notifications", { method: "HEAD", redirect: "manual" }).catch(() => null);
  return answer?.type === "opaqueredirect";
}

export async function begin() {
  const { io } = await import("../vendor/socket.io-client/socket.io.esm.min.js");
  const socket = io("/live", { transports: ["websocket", "polling"], reconnectionDelayMax: 10_000, randomizationFactor: 0.6 });
  const ask = () => socket.connected && socket.emit("unread:get", (answer) => {
    if (answer && "count" in answer) setCount("notifications", answer.count);
  });
  // Another tab confirmed who sits here: the server cut this socket, and takes it back with the new cookie.
  let tries = 0;
  let wasConnected = false;
  const again = async () => {
    tries -= 1;
    await aMoment();
    if (!socket.active) socket.connect();
  };
  // Looked at twice: while a session is renewed its new cookie may be a moment late.
  const leaveIfLoggedOut = async () => {
    if (!(await isLoggedOut())) return;
    await aMoment();
    if (await isLoggedOut()) location.assign("/connexion");
    else socket.connect();
  };
  socket.on("session:renewed", () => {
    tries = 5;
  });
  socket.on("connect", () => {
    tries = 0;
    ask();
    // Whoever was connected before, or comes long after its page, has missed news.
    const isLate = wasConnected || performance.now() > LATE_MS;
    document.dispatchEvent(new CustomEvent("live:connected", { detail: { isLate } }));
    wasConnected = true;
  });
  socket.on("unread", ({ count }) => setCount("notifications", count));
  socket.on("notification:new", ({ title, url }) => toast(title, { href: url }));
  socket.on("session:revoked", () => location.assign("/connexion"));
  // Refused by the server, not unreachable: the session may have ended while this page was loading.
  socket.on("connect_error", () => socket.active || (tries > 0 ? again() : leaveIfLoggedOut()));
  socket.on("disconnect", (reason) => reason === "io server disconnect" && (tries > 0 ? again() : leaveIfLoggedOut()));
  for (const name of ["account:updated", "signal:updated", "payment:updated", "support:unread"]) {
    socket.on(name, (detail) => document.dispatchEvent(new CustomEvent(name, { detail })));
  }
  document.addEventListener("support:unread", (event) => setCount("support_unread", event.detail.count));
  setInterval(ask, UNREAD_EVERY_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
}
