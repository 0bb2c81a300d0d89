// The list of conversations, live. News over the socket say that something changed; the list itself comes from the
// server, drawn as at the first load, so order, waiting times and counts are those of the rules.
import { socket } from "../chat.js";
import { setCount } from "../live.js";
import { policy } from "../trusted.js";

const SOON_MS = 150;
const EVERY_MS = 60_000;

export default function inboxList(root) {
  const lines = root.querySelector("[data-inbox-lines]");
  let timer = 0;
  let asked = 0;

  let pressed = false;
  const onPress = () => {
    pressed = true;
  };
  const onRelease = () => {
    pressed = false;
  };
  // Times run by themselves; a line differs when anything else does.
  const said = (line) => line.outerHTML.replace(/(<time[^>]*>)[^<]*/gu, "$1");
  const links = () => [...lines.querySelectorAll("a.inbox-line__name")];
  const draw = async () => {
    const turn = ++asked;
    const response = await fetch(location.href, { credentials: "same-origin", headers: { "X-Refresh": "1" } });
    if (!response.ok || response.redirected || turn !== asked) return;
    const html = await response.text();
    const page = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
    const fresh = page.getElementById("conversations");
    const tabs = page.querySelector("#boite .tabs");
    if (!fresh || turn !== asked) return;
    // A line under the pointer must not change between press and release: the click would be lost.
    if (pressed) return soon();
    // Who walks through the list by keyboard stays on the same conversation.
    const held = document.activeElement?.closest(".inbox-line")?.dataset.room;
    for (const line of fresh.querySelectorAll(".inbox-line")) {
      const shown = lines.querySelector(`[data-room="${CSS.escape(line.dataset.room)}"]`);
      if (shown && said(shown) === said(line)) line.replaceWith(shown);
    }
    lines.replaceChildren(...fresh.childNodes);
    const again = held && lines.querySelector(`[data-room="${CSS.escape(held)}"] a`);
    if (again && again !== document.activeElement) again.focus();
    if (tabs) root.querySelector(".tabs").replaceChildren(...tabs.childNodes);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(draw, SOON_MS);
  };
  const onKey = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, textarea, select")) return;
    if (event.key === "/") {
      event.preventDefault();
      root.querySelector("input[type=search]").focus();
      return;
    }
    if (event.key !== "j" && event.key !== "k") return;
    const all = links();
    const at = all.indexOf(document.activeElement);
    all[event.key === "j" ? Math.min(at + 1, all.length - 1) : Math.max(at - 1, 0)]?.focus();
  };
  const onVisible = () => document.visibilityState === "visible" && soon();

  let connection = null;
  const enter = () => {
    // Listing over the socket also says that somebody is at the desk.
    connection.emit("room:list", { tab: root.dataset.tab, search: root.dataset.search }, (answer) => {
      if (answer?.error?.type === "auth-expired") location.reload();
      else if (answer && "unread" in answer) setCount("support_unread", answer.unread);
    });
    soon();
  };
  const onRoom = ({ side, unread }) => {
    if (side !== "staff") return;
    setCount("support_unread", unread);
    soon();
  };
  let known = false;
  socket().then((opened) => {
    connection = opened;
    connection.on("connect", enter);
    connection.on("room:updated", onRoom);
    if (connection.connected) enter();
    known = true;
  });
  const net = setInterval(onVisible, EVERY_MS);
  lines.addEventListener("pointerdown", onPress);
  addEventListener("pointerup", onRelease);
  addEventListener("pointercancel", onRelease);
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", onVisible);
  return () => {
    clearInterval(net);
    clearTimeout(timer);
    removeEventListener("pointerup", onRelease);
    removeEventListener("pointercancel", onRelease);
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("visibilitychange", onVisible);
    if (known) {
      connection.off("connect", enter);
      connection.off("room:updated", onRoom);
    }
  };
}
