// One conversation as the team works it: the talk itself, notes, who is in charge, who else has it open.
import { Conversation, socket } from "../chat.js";
import { composer, typingLine, words } from "../chat-composer.js";
import { Log } from "../chat-log.js";
import { setCount } from "../live.js";
import { toast } from "../toast.js";

export default function inboxRoom(root) {
  if (root.dataset.side !== "staff") return;
  const said = words(root);
  const me = Number(root.dataset.me);
  const page = root.closest("main") ?? document;
  const status = root.querySelector("[data-chat-status]");
  const assigned = root.querySelector("[data-room-assigned]");
  const presence = page.querySelector("[data-room-presence]");
  const notes = root.querySelector("[data-notes]");
  const typing = typingLine(root.querySelector("[data-chat-typing]"), (news) => said.typing.replace("{name}", news.name || root.dataset.name));
  const canned = root.querySelector("[data-canned]");
  const colleague = root.querySelector("#agent");
  let inCharge = colleague?.value;
  const stops = [];
  const listen = (element, name, handler) => {
    if (!element) return;
    element.addEventListener(name, handler);
    stops.push(() => element.removeEventListener(name, handler));
  };

  socket().then((connection) => {
    const conversation = new Conversation(connection, { side: "staff", room: root.dataset.room });
    const log = new Log(root.querySelector("[role=log]"), {
      words: { ...said, them: root.dataset.name },
      side: "staff",
      me,
      latest: root.querySelector("[data-chat-latest]"),
    });
    const writing = composer(root.querySelector("[data-chat-form]"), {
      key: root.dataset.room,
      onSend: (body) => conversation.send(body),
      onTyping: (on) => conversation.typing(on),
    });

    const show = () => {
      const room = conversation.room;
      status.textContent = !conversation.away ? "" : conversation.pending.length ? said.offline_waiting : said.offline;
      if (!room) return;
      for (const field of page.querySelectorAll("[data-room-version]")) field.value = room.version;
      assigned.textContent = room.assigned_to ? said.assigned.replace("{name}", room.assigned_name) : said.nobody;
      // What somebody is about to choose stays, unless the conversation has just changed hands.
      const charged = String(room.assigned_to ?? "");
      if (colleague && charged !== inCharge) colleague.value = inCharge = charged;
      page.querySelector("[data-room-assign]").hidden = room.assigned_to === me;
      page.querySelector("[data-room-close]").hidden = room.status === "closed";
      root.querySelector("[data-room-status]").hidden = room.status !== "closed";
      setCount("support_unread", conversation.unread);
      const here = conversation.presence;
      if (!here) return;
      const others = here.agents.filter((id) => id !== me).map((id) => colleague?.querySelector(`option[value="${id}"]`)?.textContent).filter(Boolean);
      const parts = [here.owner ? said.owner_here : said.owner_away];
      if (others.length) parts.push(said.viewing.replace("{names}", others.join(", ")));
      presence.textContent = parts.join(" · ");
    };
    const act = async (event, name, data, done) => {
      event.preventDefault();
      const answer = await conversation.ask(name, { room: root.dataset.room, version: conversation.room.version, ...data });
      if (answer.error) {
        toast(answer.error.detail ?? said.offline);
        conversation.catchUp();
        return;
      }
      Object.assign(conversation.room, answer.room);
      show();
      done?.();
    };
    const onNote = ({ room, note }) => {
      if (room !== root.dataset.room || notes.querySelector(`[data-note="${note.id}"]`)) return;
      const item = document.createElement("li");
      item.dataset.note = note.id;
      const body = document.createElement("p");
      body.dir = "auto";
      body.textContent = note.body;
      const foot = document.createElement("span");
      foot.className = "small quiet";
      foot.textContent = note.name;
      item.append(body, foot);
      notes.append(item);
    };

    conversation.addEventListener("change", () => {
      log.draw(conversation);
      show();
    });
    conversation.addEventListener("state", show);
    conversation.addEventListener("room", show);
    conversation.addEventListener("typing", ({ detail }) => detail.agent_id !== me && typing(detail));
    conversation.addEventListener("refused", ({ detail }) => detail.type === "auth-expired" && location.reload());
    connection.on("note:new", onNote);
    const desk = () => connection.emit("room:list", {}, () => undefined);
    connection.on("connect", desk);
    if (connection.connected) desk();
    conversation.watch(true);

    listen(page.querySelector("[data-room-assign]"), "submit", (event) => act(event, "room:assign", {}));
    listen(page.querySelector("[data-room-close]"), "submit", (event) => act(event, "room:close", {}));
    const noteForm = root.querySelector("[data-note-form]");
    listen(noteForm, "submit", async (event) => {
      event.preventDefault();
      const field = noteForm.querySelector("textarea");
      if (!field.value.trim()) return;
      const answer = await conversation.ask("note:send", { room: root.dataset.room, body: field.value });
      if (answer.error) {
        toast(answer.error.detail ?? said.offline);
        return;
      }
      onNote({ room: root.dataset.room, note: answer.note });
      field.value = "";
    });
    listen(canned, "change", () => {
      const body = canned.selectedOptions[0]?.dataset.body;
      canned.value = "";
      if (body) writing.insert(body);
    });
    // "/shortcut" and a space put the ready answer in its place.
    listen(writing.field, "input", () => {
      const found = /(?:^|\s)\/([\w-]+)\s$/u.exec(writing.field.value.slice(0, writing.field.selectionStart));
      const option = found && [...(canned?.options ?? [])].find((choice) => choice.value === found[1]);
      if (!option) return;
      const end = writing.field.selectionStart;
      writing.field.setRangeText(option.dataset.body, end - found[1].length - 2, end, "end");
    });
    stops.push(() => {
      writing.stop();
      conversation.stop();
      connection.off("note:new", onNote);
      connection.off("connect", desk);
    });
  });
  return () => stops.forEach((stop) => stop());
}
