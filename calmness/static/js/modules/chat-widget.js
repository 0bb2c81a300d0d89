// The launcher at the bottom right. The socket is fetched when the panel opens, or when a conversation exists already.
import { setCount } from "../live.js";

const EXISTS = "ct.chat.exists";
const PHONE = matchMedia("(width <= 640px)");

async function token() {
  const inPage = document.querySelector("meta[name=csrf-token]")?.content;
  if (inPage) return inPage;
  const answer = await fetch("/support/jeton", { credentials: "same-origin" });
  return (await answer.json()).csrf_token;
}

export default function chatWidget(root) {
  const launcher = root.querySelector("[data-chat-launcher]");
  const panel = root.querySelector("[data-chat-panel]");
  const rest = () => [...document.body.children].filter((element) => element !== root && !element.matches("[data-toasts], script"));
  const form = panel.querySelector("[data-chat-form]");
  let started = null;
  let told = 0;
  let early = false;

  const start = () => {
    started ??= (async () => {
      if (!document.querySelector("meta[name=user]")) {
        const answer = await fetch("/support/visitor", { method: "POST", credentials: "same-origin", headers: { "X-CSRFToken": await token() } });
        if (!answer.ok) throw new Error(`visitor ${answer.status}`);
      }
      const { begin } = await import("./chat-panel.js");
      const running = await begin(panel);
      for (const name of ["submit", "keydown"]) form.removeEventListener(name, hold);
      if (early) form.requestSubmit();
      running.conversation.addEventListener("room", () => badge(running.conversation.unread));
      running.conversation.addEventListener("change", () => {
        if (running.conversation.messages.length) localStorage.setItem(EXISTS, "1");
      });
      return running;
    })().catch((error) => {
      started = null;
      panel.querySelector("[data-chat-status]").textContent = panel.dataset.failed;
      console.error("chat", error);
      return null;
    });
    return started;
  };
  // Who types faster than the scripts arrive loses nothing: the sending waits for them.
  const hold = (event) => {
    if (event.type === "keydown" && (event.key !== "Enter" || event.shiftKey || event.isComposing)) return;
    event.preventDefault();
    early = true;
  };
  const badge = (count) => {
    setCount("support_answers", count);
    launcher.setAttribute("aria-label", count ? launcher.dataset.unread.replace("{count}", count) : launcher.dataset.label);
    if (count > told && panel.hidden) root.classList.add("has-news");
    told = count;
  };
  const fit = () => {
    const view = globalThis.visualViewport;
    if (!view || !PHONE.matches || panel.hidden) return;
    // The keyboard of a phone covers half the page: the panel keeps to what is left.
    panel.style.setProperty("--chat-height", `${view.height}px`);
    panel.style.setProperty("--chat-top", `${view.offsetTop}px`);
  };
  const open = async () => {
    panel.hidden = false;
    launcher.setAttribute("aria-expanded", "true");
    root.classList.add("is-open");
    root.classList.remove("has-news");
    if (PHONE.matches) for (const element of rest()) element.inert = true;
    fit();
    panel.querySelector("textarea").focus({ preventScroll: true });
    const running = await start();
    if (panel.hidden) return;
    running?.conversation.watch(true);
    running?.log.toBottom();
  };
  const close = async () => {
    panel.hidden = true;
    launcher.setAttribute("aria-expanded", "false");
    root.classList.remove("is-open");
    for (const element of rest()) element.inert = false;
    launcher.focus({ preventScroll: true });
    (await started)?.conversation.watch(false);
  };
  const onLaunch = (event) => {
    event.preventDefault();
    if (panel.hidden) open();
    else close();
  };
  const onSpace = (event) => event.key === " " && onLaunch(event);
  const onEscape = (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    close();
  };

  for (const name of ["submit", "keydown"]) form.addEventListener(name, hold);
  launcher.setAttribute("role", "button");
  launcher.setAttribute("aria-expanded", "false");
  launcher.addEventListener("click", onLaunch);
  launcher.addEventListener("keydown", onSpace);
  panel.addEventListener("keydown", onEscape);
  panel.querySelector("[data-chat-close]").addEventListener("click", close);
  globalThis.visualViewport?.addEventListener("resize", fit);
  globalThis.visualViewport?.addEventListener("scroll", fit);
  for (const opener of document.querySelectorAll("[data-opens-chat]")) opener.addEventListener("click", onLaunch);
  if (root.dataset.exists === "1" || localStorage.getItem(EXISTS)) start();
  return () => {
    globalThis.visualViewport?.removeEventListener("resize", fit);
    globalThis.visualViewport?.removeEventListener("scroll", fit);
  };
}
