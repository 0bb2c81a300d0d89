// The conversation of the person who reads the page: in the widget's panel, and on the plain page /support.
import { Conversation, socket } from "../chat.js";
import { composer, typingLine, words } from "../chat-composer.js";
import { Log } from "../chat-log.js";

export async function begin(root) {
  const said = words(root);
  const line = root.querySelector("[data-chat-status]");
  const connection = await socket();
  const conversation = new Conversation(connection, { side: "owner" });
  const log = new Log(root.querySelector("[role=log]"), { words: said, side: "owner", latest: root.querySelector("[data-chat-latest]") });
  const typing = typingLine(root.querySelector("[data-chat-typing]"), (news) => said.typing.replace("{name}", news.name || said.them));
  const writing = composer(root.querySelector("[data-chat-form]"), {
    key: "owner",
    onSend: (body) => conversation.send(body),
    onTyping: (on) => conversation.typing(on),
  });
  const introduction = root.querySelector("[data-chat-introduction]");

  const draw = () => {
    log.draw(conversation);
    root.querySelector("[data-chat-empty]").hidden = conversation.messages.length + conversation.pending.length > 0;
  };
  const status = () => {
    const waiting = conversation.pending.length > 0;
    if (conversation.away) line.textContent = waiting ? said.offline_waiting : said.offline;
    else line.textContent = conversation.presence?.staff ? said.present : line.dataset.hours;
    root.classList.toggle("is-offline", conversation.away);
    const known = conversation.room?.introduced !== false;
    introduction.hidden = known || conversation.messages.length === 0;
    root.querySelector("[data-chat-closed]").hidden = conversation.room?.status !== "closed";
  };
  conversation.addEventListener("change", draw);
  conversation.addEventListener("change", status);
  conversation.addEventListener("state", status);
  conversation.addEventListener("room", status);
  conversation.addEventListener("typing", (event) => event.detail.side !== "owner" && typing(event.detail));
  introduction.addEventListener("submit", (event) => {
    event.preventDefault();
    const details = Object.fromEntries([...new FormData(introduction)].filter(([name, value]) => value && name !== "csrf_token"));
    conversation.introduce(details);
  });
  const element = root.querySelector("[role=log]");
  element.addEventListener("scroll", () => element.scrollTop < 60 && conversation.older());
  status();
  return { conversation, log, field: writing.field };
}

export default function chatPanel(root) {
  // Inside the widget the launcher begins it, when it is opened.
  if (root.closest("[data-module~=chat-widget]")) return;
  if (root.dataset.known === "0") {
    // Nothing was said yet: the form posts as without scripts, and the cookie comes with the answer.
    return;
  }
  begin(root).then(({ conversation }) => conversation.watch(true));
}
